package clustertest

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
)

// Relay relays what comes, and can forget the connections that there are: what is
// sent into them is dropped, without a word.
type Relay struct {
	Addr netip.AddrPort
	// Conns are how many there were.
	Conns atomic.Int64

	mu     sync.Mutex
	passes map[any]*atomic.Bool // by connection, or a UDP client's address
}

func (f *Relay) pass(conn any) *atomic.Bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.passes[conn] == nil {
		f.passes[conn] = new(atomic.Bool)
		f.passes[conn].Store(true)
		f.Conns.Add(1)
	}
	return f.passes[conn]
}

// Forget drops what is sent into the connections that there are.
func (f *Relay) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, passes := range f.passes {
		passes.Store(false)
	}
}

// NewRelay stands before a TCP port, until the test's end.
func NewRelay(t testing.TB, to netip.AddrPort) *Relay {
	t.Helper()
	return relayTCP(t, Loopback, nil, to)
}

// ServeTLS ends TLS before a TCP port, until the test's end.
func ServeTLS(t testing.TB, at string, config *tls.Config, to netip.AddrPort) netip.AddrPort {
	t.Helper()
	return relayTCP(t, at, config, to).Addr
}

func relayTCP(t testing.TB, at string, config *tls.Config, to netip.AddrPort) *Relay {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	f := &Relay{Addr: listener.Addr().(*net.TCPAddr).AddrPort(), passes: make(map[any]*atomic.Bool)}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	var running sync.WaitGroup
	var conns sync.Map
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to.String())
			if err != nil {
				_ = client.Close()
				continue
			}
			conns.Store(client, true)
			conns.Store(server, true)
			passes := f.pass(client)
			running.Go(func() { relay(server, client, passes) })
			running.Go(func() { relay(client, server, passes) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		conns.Range(func(conn, _ any) bool { return conn.(net.Conn).Close() == nil || true })
		running.Wait()
	})
	return f
}

// relay writes to one connection what comes from another, as long as it passes, and its end.
func relay(to, from net.Conn, passes *atomic.Bool) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		switch {
		case err != nil && passes.Load():
			_ = to.Close()
			return
		case err != nil:
			return
		case passes.Load():
			_, _ = to.Write(buf[:n])
		}
	}
}

// NewUDPRelay stands before a UDP port, until the test's end.
func NewUDPRelay(t testing.TB, to netip.AddrPort) *Relay {
	t.Helper()
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &Relay{Addr: front.LocalAddr().(*net.UDPAddr).AddrPort(), passes: make(map[any]*atomic.Bool)}
	var running sync.WaitGroup
	running.Go(func() { f.relayUDP(front, to, &running) })
	t.Cleanup(func() {
		_ = front.Close()
		running.Wait()
	})
	return f
}

func (f *Relay) relayUDP(front *net.UDPConn, to netip.AddrPort, running *sync.WaitGroup) {
	backs := make(map[netip.AddrPort]*net.UDPConn) // by client
	defer func() {
		for _, back := range backs {
			_ = back.Close()
		}
	}()
	buf := make([]byte, 4096)
	for {
		n, client, err := front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		passes := f.pass(client)
		if !passes.Load() {
			continue
		}
		back := backs[client]
		if back == nil {
			if back, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)); err != nil {
				continue
			}
			backs[client] = back
			running.Go(func() { relayBack(front, client, back, passes) })
		}
		_, _ = back.Write(buf[:n])
	}
}

// relayBack sends what comes from the server to its client.
func relayBack(front *net.UDPConn, client netip.AddrPort, back *net.UDPConn, passes *atomic.Bool) {
	buf := make([]byte, 4096)
	for {
		n, err := back.Read(buf)
		if err != nil {
			return
		}
		if passes.Load() {
			_, _ = front.WriteToUDPAddrPort(buf[:n], client)
		}
	}
}
