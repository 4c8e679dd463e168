package member

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// dialTimeout bounds the time until a connection stands. It is below that of a
// probe: a SYN that got lost is sent again after 1 s, then not before 3 s.
const dialTimeout = 2 * time.Second

const handshakeTimeout = 10 * time.Second

var errClosed = errors.New("the session is over")

// conns are the connections of a session, to be closed all at once: a partition
// leaves them open, and HTTP/2 would use them for what comes next. (client-go's
// util/connrotation lets new ones be made while it closes.)
type conns struct {
	ctx    context.Context //nolint:containedctx // of every dial, and of waiting; close ends it
	cancel context.CancelFunc
	pace   pace
	mu     sync.Mutex
	open   map[net.Conn]struct{} // nil once closed
}

func newConns(ctx context.Context, p pace) *conns {
	c := &conns{pace: p, open: make(map[net.Conn]struct{})}
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

func (c *conns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)() // net/http dials on when its request has ended
	conn, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.keep(conn)
}

func (c *conns) keep(conn net.Conn) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		conn.Close()
		return nil, errClosed
	}
	c.open[conn] = struct{}{}
	return &trackedConn{Conn: conn, conns: c}, nil
}

// close closes all, and refuses new ones.
func (c *conns) close() {
	c.mu.Lock()
	open := c.open
	c.open = nil
	c.mu.Unlock()
	c.cancel()
	for conn := range open {
		conn.Close()
	}
}

type trackedConn struct {
	net.Conn
	conns *conns
}

// Read reads no faster than the pace.
func (t *trackedConn) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.conns.pace.take(t.conns.ctx, n)
	return n, err
}

func (t *trackedConn) Close() error {
	t.conns.mu.Lock()
	delete(t.conns.open, t.Conn)
	t.conns.mu.Unlock()
	return t.Conn.Close()
}
