package exchange

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// udpSockets share the queries to an upstream. Each is a source port that a
	// forger has to guess (RFC 5452, section 9.2); four also spread the reading
	// over the cores.
	udpSockets = 4
	// udpMaxAge ends a socket's part in new queries, so that ports rotate.
	udpMaxAge = 30 * time.Second
	// udpIdle closes a socket that nothing was asked on: an idle member costs
	// no socket and no goroutine.
	udpIdle = 10 * time.Second
	// MaxSize is the largest reply read over UDP, in bytes, and so the largest
	// EDNS size that a query may ask for.
	MaxSize = 4096
	// resendAfter is when an unanswered packet is sent again: long after a
	// reply across an ocean, well within the shortest part of a query's time.
	resendAfter = 500 * time.Millisecond
)

// udpTransport asks one upstream over UDP: many queries in flight on a few
// connected sockets. Connected, the kernel drops what comes from elsewhere and
// tells of a closed port at once.
type udpTransport struct {
	addr    netip.AddrPort
	dropped func()

	mu      sync.Mutex
	sockets [udpSockets]*udpSocket
	open    map[*udpSocket]struct{} // those, and older ones still waiting for replies
	closed  bool
	readers sync.WaitGroup
}

func newUDP(addr netip.AddrPort, dropped func()) *udpTransport {
	return &udpTransport{addr: addr, dropped: dropped, open: make(map[*udpSocket]struct{})}
}

// exchange sends w and waits for its reply until deadline; suspect is called
// each time the packet had to be sent again.
func (t *udpTransport) exchange(ctx context.Context, w *wire, deadline time.Time, suspect func()) (*dns.Msg, net.Addr, error) {
	s, err := t.socket(rand.IntN(udpSockets))
	if err != nil {
		return nil, nil, plain(err)
	}
	call, err := s.begin(w)
	if err != nil {
		return nil, s.local, err
	}
	if err := s.send(w); err != nil {
		s.end(call)
		return nil, s.local, plain(err)
	}
	buf, err := s.await(ctx, call, deadline, suspect)
	if err != nil {
		return nil, s.local, err
	}
	defer buffers.Put(buf)
	reply := new(dns.Msg)
	if err := reply.Unpack(*buf); err != nil {
		return nil, s.local, errMalformed
	}
	return reply, s.local, nil
}

// socket gives the i-th socket, a new one when it is too old or gone.
func (t *udpTransport) socket(i int) (*udpSocket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if s := t.sockets[i]; s != nil && s.usable() {
		return s, nil
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(t.addr))
	if err != nil {
		return nil, err
	}
	s := newUDPSocket(conn, t.dropped)
	t.sockets[i] = s
	t.open[s] = struct{}{}
	t.readers.Go(func() {
		s.read()
		t.mu.Lock()
		delete(t.open, s)
		t.mu.Unlock()
	})
	return s, nil
}

// close ends every socket and waits for their readers.
func (t *udpTransport) close() {
	t.mu.Lock()
	t.closed = true
	for s := range t.open {
		s.close(errClosed)
	}
	t.mu.Unlock()
	t.readers.Wait()
}
