package exchange

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
	// udpMaxAge ends a socket's part in new queries, so that ports rotate.
	udpMaxAge = 30 * time.Second
	// freshFor is how old a socket may be to count as a new port: an upstream
	// that answers slowly has every packet sent again.
	freshFor = 250 * time.Millisecond
	// udpIdle closes a socket that nothing was asked on: an idle member costs
	// no socket and no goroutine.
	udpIdle = 10 * time.Second
	// MaxSize is the largest reply read over UDP, in bytes, and so the largest
	// EDNS size that a query may ask for.
	MaxSize = 4096
	// DatagramSize is the largest that is asked for at first: what is larger may come in
	// fragments, which some links lose, always (RFC 9715). It comes over a stream.
	DatagramSize = 1232
)

// udpTransport asks one upstream over UDP: many queries in flight on a few
// connected sockets. Connected, the kernel drops what comes from elsewhere and
// tells of a closed port at once.
type udpTransport struct {
	addr    netip.AddrPort
	dropped func(Drop)

	mu      sync.Mutex
	sockets [udpSockets]*udpSocket
	open    map[*udpSocket]struct{} // those, and older ones still waiting for replies
	closed  bool
	readers sync.WaitGroup
}

func newUDP(addr netip.AddrPort, dropped func(Drop)) *udpTransport {
	return &udpTransport{addr: addr, dropped: dropped, open: make(map[*udpSocket]struct{})}
}

// send implements transport. What is sent again leaves from a new port: behind a
// service address, the old one may lead to a server that is gone. A socket that the
// kernel has an error for is closed; then another is used, once.
func (t *udpTransport) send(c *call, n int, fresh bool) error {
	for try := 0; ; try++ {
		s, err := t.socket(c.sends[n].at, fresh || try > 0)
		if err != nil {
			return plain(err)
		}
		err = s.send(c, n)
		if err == nil {
			return nil
		}
		err = plain(err)
		s.end(err)
		if try > 0 {
			return err
		}
	}
}

// socket gives one of the sockets: a new one when fresh, or when it is too old
// or closed. However many want a fresh one, each place gets one per freshFor.
func (t *udpTransport) socket(now time.Time, fresh bool) (*udpSocket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	i := rand.IntN(udpSockets)
	age := udpMaxAge
	if fresh {
		age = freshFor
	}
	if s := t.sockets[i]; s != nil && s.usable(now, age) {
		return s, nil
	}
	return t.dial(i)
}

// dial opens a socket for the place i; t.mu is held.
func (t *udpTransport) dial(i int) (*udpSocket, error) {
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

// fail implements transport.
func (t *udpTransport) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		s.end(err)
	}
}

// close implements transport.
func (t *udpTransport) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.fail(errClosed)
	t.readers.Wait()
}
