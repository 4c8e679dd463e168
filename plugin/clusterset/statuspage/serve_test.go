package statuspage

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

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

// TestServeConnections: so many connections are open at a time; the next waits for one to end.
func TestServeConnections(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Serve(listener, NewHandler(testSource(), ""))
	defer server.Close()
	request := func(c net.Conn) {
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Error(err)
		}
	}
	var open []net.Conn
	for range maxConnections {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		request(c)
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	next, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	request(next)
	// A busy machine may be as slow without the bound, and isn't seen to break it then.
	if err := next.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := next.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("answered beside %d others: %d, %v", maxConnections, n, err)
	}
	if err := next.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	open[0].Close()
	if _, err := next.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}
