package transport

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// udpSockets share the queries to an upstream. Each is a source port that a
	// forger has to guess (RFC 5452, section 9.2); four also spread the reading
	// over the cores.
	udpSockets = 4
	// udpMaxAge is how old a socket may be for new queries, so that ports rotate.
	udpMaxAge = 30 * time.Second
	// udpFresh is how old a socket may be to count as a new port: of an upstream
	// that answers slowly every packet is retransmitted.
	udpFresh = 250 * time.Millisecond
	// udpIdle closes a socket that nothing was asked on: an idle member costs
	// no socket and no goroutine.
	udpIdle = 10 * time.Second
)

// udp asks one upstream over UDP: many queries in flight on a few connected sockets.
// Connected, the kernel drops what comes from elsewhere and reports a closed port at once.
type udp struct {
	addr    netip.AddrPort
	dropped func(Drop)

	mu      sync.Mutex
	sockets [udpSockets]*udpSocket
	open    map[*udpSocket]struct{} // those, and older ones with queries in flight
	closed  bool
	readers sync.WaitGroup
}

func newUDP(addr netip.AddrPort, dropped func(Drop)) *udp {
	return &udp{addr: addr, dropped: dropped, open: make(map[*udpSocket]struct{})}
}

// Send implements Transport. A retransmission leaves from a new port: behind a
// service address, the old one may lead to a server that is gone. A socket that the
// kernel has an error for is closed; then another is used, once.
func (t *udp) Send(m *Message) error {
	for try := 0; ; try++ {
		s, err := t.socket(m.At, m.Fresh || try > 0)
		if err != nil {
			return Plain(err)
		}
		err = s.send(m)
		if err == nil {
			return nil
		}
		err = Plain(err)
		s.end(err)
		if try > 0 {
			return err
		}
	}
}

// socket returns one of the sockets: a new one when fresh, or when it is too old
// or closed. However many want a fresh one, each place gets one in udpFresh.
func (t *udp) socket(now time.Time, fresh bool) (*udpSocket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	i := rand.IntN(udpSockets)
	age := udpMaxAge
	if fresh {
		age = udpFresh
	}
	if s := t.sockets[i]; s != nil && s.usable(now, age) {
		return s, nil
	}
	return t.dial(i)
}

// dial opens a socket for the place i; t.mu is held.
func (t *udp) dial(i int) (*udpSocket, error) {
	dialer := net.Dialer{Control: reportErrors}
	conn, err := dialer.Dial("udp", t.addr.String())
	if err != nil {
		return nil, err
	}
	s := newUDPSocket(conn.(*net.UDPConn), t.dropped)
	if old := t.sockets[i]; old != nil {
		old.retire()
	}
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

// Fail implements Transport.
func (t *udp) Fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		s.end(err)
	}
}

// InFlight implements Transport.
func (t *udp) InFlight() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		n += s.len()
	}
	return n
}

// Close implements Transport.
func (t *udp) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.Fail(ErrClosed)
	t.readers.Wait()
}
