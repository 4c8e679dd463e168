package exchange

import (
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// floodHTTP2 sends the frame without end over each connection, until that is closed.
func floodHTTP2(t *testing.T, config *tls.Config, frame []byte) (addr netip.AddrPort, flooding *atomic.Int64) {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	settings := []byte{0, 0, 0, 4, 0, 0, 0, 0, 0} // comes first: RFC 9113, section 3.4
	frames := slices.Repeat(frame, max(1, 16<<10/len(frame)))
	flooding = new(atomic.Int64)
	var running sync.WaitGroup
	serve := func(conn net.Conn) {
		defer conn.Close()
		flooding.Add(1)
		defer flooding.Add(-1)
		running.Go(func() { drain(conn) })
		for _, err := conn.Write(settings); err == nil; _, err = conn.Write(frames) {
		}
	}
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort(), flooding
}

// drain reads to the end.
func drain(conn net.Conn) {
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// TestUnaskedHTTPS: frames that belong to no reply aren't read for ever.
func TestUnaskedHTTPS(t *testing.T) {
	config, material := testTLS(t)
	for name, frame := range map[string][]byte{
		"pings":   {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
		"unknown": append([]byte{0, 0x40, 0, 0xfa, 0, 0, 0, 0, 0}, make([]byte, 0x4000)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, flooding := floodHTTP2(t, config, frame)
			c := newClientOf(t, model.HTTPS, material, addr)
			if m, err := askEncrypted(t, c); err == nil {
				t.Errorf("got %v", m)
			}
			waitFor(t, func() bool { return flooding.Load() == 0 })
		})
	}
}

// TestSilentSessions: an upstream that says nothing has no more connections for it than
// four sessions have.
func TestSilentSessions(t *testing.T) {
	_, material := testTLS(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // whose backlog takes connections
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := newClientOf(t, model.HTTPS, material, listener.Addr().(*net.TCPAddr).AddrPort())
	upstream := c.upstreams[0].stream.(*requestTransport)
	for range 2 * maxSessions {
		q := question(askedName)
		q.EDNS.Size, q.Deadline = DatagramSize, time.Now().Add(2*streamHeld)
		if _, _, err := c.Exchange(t.Context(), q); err == nil {
			t.Error("an answer")
		}
	}
	upstream.mu.Lock()
	defer upstream.mu.Unlock()
	if upstream.sessions > maxSessions {
		t.Errorf("%d sessions", upstream.sessions)
	}
}
