package apiclient

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// dialTimeout is below that of a probe: a lost SYN is retransmitted after 1 s, then not
// before 3 s.
const dialTimeout = 2 * time.Second

const handshakeTimeout = 10 * time.Second

var errClosed = errors.New("the session is over")

// Conns are the connections of one session, to be closed all at once: a partition leaves
// them open, and HTTP/2 would use them for whatever comes next. (client-go's
// util/connrotation allows new ones while it closes.)
type Conns struct {
	ctx     context.Context //nolint:containedctx // of every dial and wait; Close ends it
	cancel  context.CancelFunc
	limiter Limiter
	mu      sync.Mutex
	open    map[net.Conn]struct{} // nil once closed
	dialed  int
	// multiplexed are those of HTTP/2.
	multiplexed map[*http2.ClientConn]struct{} //nolint:staticcheck // as in frames.go
}

// NewConns returns no connections yet. They end with ctx, or by Close.
func NewConns(ctx context.Context, l Limiter) *Conns {
	c := &Conns{limiter: l, open: make(map[net.Conn]struct{})}
	c.multiplexed = make(map[*http2.ClientConn]struct{}) //nolint:staticcheck // as in frames.go
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

// CountObject counts an object that was read.
func (c *Conns) CountObject() { c.limiter.take(c.ctx, ObjectCost) }

// CountWork counts the time that it took to apply a change.
func (c *Conns) CountWork(d time.Duration) {
	c.limiter.take(c.ctx, int(d*workCost/time.Millisecond))
}

// Close closes all, and refuses new ones.
func (c *Conns) Close() {
	c.mu.Lock()
	open := c.open
	c.open = nil
	c.mu.Unlock()
	c.cancel()
	for conn := range open {
		conn.Close()
	}
}

func (c *Conns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)() // net/http goes on dialing when its request has ended
	conn, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.track(conn)
}

func (c *Conns) track(conn net.Conn) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		conn.Close()
		return nil, errClosed
	}
	c.open[conn] = struct{}{}
	c.dialed++
	return &trackedConn{Conn: conn, conns: c}, nil
}

type trackedConn struct {
	net.Conn
	conns *Conns
}

// Read reads no faster than the limiter allows.
func (t *trackedConn) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.conns.limiter.take(t.conns.ctx, n)
	return n, err
}

func (t *trackedConn) Close() error {
	t.conns.mu.Lock()
	delete(t.conns.open, t.Conn)
	t.conns.mu.Unlock()
	return t.Conn.Close()
}
