package clustertest

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// Server is a DNS server on loopback: UDP and TCP on one port, with a handler of
// its own (dns.DefaultServeMux would be shared with every other server).
type Server struct {
	Addr netip.AddrPort
	// UDP and TCP count the queries that came.
	UDP, TCP atomic.Int64

	servers []*dns.Server
	serving sync.WaitGroup
	stop    sync.Once
}

// Serve starts a server on a free port of 127.0.0.1; the test's end stops it.
func Serve(t testing.TB, handler dns.HandlerFunc) *Server {
	t.Helper()
	return ServeAt(t, netip.MustParseAddrPort("127.0.0.1:0"), handler)
}

// ServeAt is Serve at an address; a test gives one to start a server again.
func ServeAt(t testing.TB, addr netip.AddrPort, handler dns.HandlerFunc) *Server {
	t.Helper()
	release(addr)
	packets, listener := listen(t, addr)
	s := &Server{Addr: listener.Addr().(*net.TCPAddr).AddrPort()}
	s.serve(t, &dns.Server{PacketConn: packets, Handler: count(&s.UDP, handler)})
	s.serve(t, &dns.Server{Listener: listener, Handler: count(&s.TCP, handler)})
	t.Cleanup(func() {
		s.Stop()
		release(s.Addr)
	})
	return s
}

func count(counter *atomic.Int64, handler dns.HandlerFunc) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		counter.Add(1)
		handler(w, r)
	}
}

// listen takes one port for both protocols; a free TCP port may be taken for UDP.
func listen(t testing.TB, addr netip.AddrPort) (net.PacketConn, net.Listener) {
	t.Helper()
	for {
		listener, err := net.Listen("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return packets, listener
		}
		listener.Close()
		if addr.Port() != 0 {
			t.Fatal(err)
		}
	}
}

func (s *Server) serve(t testing.TB, server *dns.Server) {
	t.Helper()
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	s.servers = append(s.servers, server)
	s.serving.Go(func() { _ = server.ActivateAndServe() }) // it ends with Stop
	<-started
}

// Stop ends the server. Its port is then refused, and kept from others until the
// test's end, or ServeAt. Shutdown and ActivateAndServe both close the socket, and only
// one of them waits until that is done.
func (s *Server) Stop() {
	s.stop.Do(func() {
		for _, server := range s.servers {
			_ = server.Shutdown() // the other one is shut down all the same
		}
		s.serving.Wait()
		hold(s.Addr)
	})
}
