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
	// freshFor is how old a socket may be to count as a new port: an upstream
	// that answers slowly has every packet sent again.
	freshFor = 250 * time.Millisecond
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

// exchange sends w now and waits for its reply until deadline. While none comes,
// it is sent again every resendAfter, from a new port: behind a service address,
// the old one may lead to a server that is gone. suspect is called each time.
func (t *udpTransport) exchange(ctx context.Context, w *wire, now, deadline time.Time, suspect func()) (*dns.Msg, net.Addr, error) {
	c := newCall(w)
	o, local := t.await(ctx, c, now, deadline, suspect)
	c.end()
	reply, err := o.message(w) // not deeper down: some take the most of a small stack
	return reply, local, err
}

// await sends the call and gives its outcome, and the address it left from.
func (t *udpTransport) await(ctx context.Context, c *call, now, deadline time.Time, suspect func()) (outcome, net.Addr) {
	local, err := t.send(c, now, false)
	if err != nil {
		return outcome{err: err}, local
	}
	c.timer.Reset(min(deadline.Sub(now), resendAfter))
	for {
		select {
		case o := <-c.done:
			c.received++
			return o, local
		case <-ctx.Done():
			return outcome{err: plain(ctx.Err())}, local
		case <-c.timer.C:
		}
		now = time.Now()
		left := deadline.Sub(now)
		if left <= 0 {
			return outcome{err: errNoReply}, local
		}
		suspect()
		if c.sent < maxSends {
			if local, err = t.send(c, now, true); err != nil {
				return outcome{err: err}, local
			}
		}
		c.timer.Reset(min(left, resendAfter))
	}
}

// ping is exchange from a new port, without resending.
func (t *udpTransport) ping(ctx context.Context, w *wire, deadline time.Time) (*dns.Msg, error) {
	c := newCall(w)
	defer c.end()
	now := time.Now()
	if _, err := t.send(c, now, true); err != nil {
		return nil, err
	}
	c.timer.Reset(deadline.Sub(now))
	select {
	case o := <-c.done:
		c.received++
		return o.message(w)
	case <-ctx.Done():
		return nil, plain(ctx.Err())
	case <-c.timer.C:
		return nil, errNoReply
	}
}

// send puts the call on a socket and writes its packet. A socket that the kernel
// has an error for is closed; then another is used, once.
func (t *udpTransport) send(c *call, now time.Time, fresh bool) (net.Addr, error) {
	for try := 0; ; try++ {
		s, err := t.socket(now, fresh || try > 0)
		if err != nil {
			return nil, plain(err)
		}
		err = s.send(c)
		if err == nil {
			return s.local, nil
		}
		s.close(plain(err))
		if try > 0 {
			return s.local, plain(err)
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

// fail ends every query in flight with err: the upstream is known to be down.
func (t *udpTransport) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		s.close(err)
	}
}

// close ends every socket and waits for their readers.
func (t *udpTransport) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.fail(errClosed)
	t.readers.Wait()
}
