package statuspage

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestServe: what is served ends with the server, look-ups and open connections too.
func TestServe(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	began := make(chan bool)
	s := testSource()
	s.lookup = func(ctx context.Context, _, _, _ string) (status.Lookup, error) {
		began <- true
		<-ctx.Done()
		return status.Lookup{}, ctx.Err()
	}
	server := Serve(listener, NewHandler(s, ""))
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	defer http.DefaultClient.CloseIdleConnections()
	code := make(chan int)
	go func() {
		r, err := http.Get("http://" + address + "/lookup?name=a")
		if err != nil {
			t.Error(err)
			code <- 0
			return
		}
		defer r.Body.Close()
		code <- r.StatusCode
	}()
	<-began
	server.Close()
	if c := <-code; c != http.StatusInternalServerError {
		t.Errorf("a look-up that was ended: %d", c)
	}
	if n, err := silent.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("an open connection: %d bytes, %v", n, err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("still listened on")
	}
}
