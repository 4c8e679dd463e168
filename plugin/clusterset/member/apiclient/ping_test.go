package apiclient

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// TestPing: a ping is answered by a server of HTTP/2 that answers no request, as long as a
// connection is open; what speaks HTTP/1.1 can't be pinged.
func TestPing(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		began := make(chan struct{}, 1)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			began <- struct{}{}
			<-r.Context().Done()
		}))
		server.EnableHTTP2 = http2
		server.StartTLS()
		conns := NewConns(t.Context(), NewLimiter())
		client, err := newHTTPClient(&rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, conns, new(atomic.Pointer[string]))
		if err != nil {
			t.Fatal(err)
		}
		if err := conns.Ping(t.Context()); !errors.Is(err, ErrNoPing) {
			t.Errorf("before there is a connection: %v", err)
		}
		ended := make(chan error, 1)
		go func() {
			response, err := client.Get(server.URL)
			if err == nil {
				response.Body.Close()
			}
			ended <- err
		}()
		<-began
		if err := conns.Ping(t.Context()); http2 && err != nil || !http2 && !errors.Is(err, ErrNoPing) {
			t.Errorf("HTTP/2 %v: %v", http2, err)
		}
		if n := conns.Dialed(); n != 1 {
			t.Errorf("HTTP/2 %v: %d connections", http2, n)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := conns.Ping(over); http2 && !errors.Is(err, context.Canceled) {
			t.Errorf("a ping that nobody waits for: %v", err)
		}
		server.CloseClientConnections()
		if err := <-ended; err == nil {
			t.Error("the request wasn't broken off")
		}
		for end := time.Now().Add(time.Minute); !errors.Is(conns.Ping(t.Context()), ErrNoPing); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("a connection that is closed is still pinged")
			}
		}
		conns.Close()
		server.Close()
	}
}
