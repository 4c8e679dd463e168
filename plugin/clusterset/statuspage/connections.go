package statuspage

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// connections is a listener that has so many connections open at a time. Where the next would
// be one too many, it takes the place of the one that has asked nothing for the longest; where
// all are being answered, it waits.
type connections struct {
	net.Listener
	most int

	mu     sync.Mutex
	free   sync.Cond // something of what follows has changed
	open   map[*connection]use
	closed bool
}

// use is what a connection is used for, and since when.
type use struct {
	state http.ConnState
	since time.Time
}

// silence is how long a new connection may take to ask before another takes its place: a
// reader's first request comes with it.
const silence = time.Second

type connection struct {
	net.Conn
	of *connections
}

func newConnections(l net.Listener, most int) *connections {
	c := &connections{Listener: l, most: most, open: make(map[*connection]use)}
	c.free.L = &c.mu
	return c
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	next := &connection{conn, c}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) >= c.most && !c.closed {
		if !c.evict() {
			c.free.Wait()
		}
	}
	if c.closed {
		_ = conn.Close() // nobody was promised anything
		return nil, net.ErrClosed
	}
	c.open[next] = use{http.StateNew, time.Now()}
	return next, nil
}

// evict closes the connection that has asked nothing for the longest, and reports whether there
// is one. If one may become that by time alone, it has the caller woken then.
func (c *connections) evict() bool {
	var oldest *connection
	var since, wake time.Time
	for conn, u := range c.open {
		switch {
		case u.state == http.StateActive:
			continue
		case u.state == http.StateNew && time.Since(u.since) < silence:
			if wake.IsZero() || u.since.Before(wake) {
				wake = u.since
			}
			continue
		}
		if oldest == nil || u.since.Before(since) {
			oldest, since = conn, u.since
		}
	}
	if oldest == nil {
		if !wake.IsZero() {
			time.AfterFunc(time.Until(wake.Add(silence)), c.free.Broadcast)
		}
		return false
	}
	delete(c.open, oldest)
	_ = oldest.Conn.Close() // its server sees that
	return true
}

// changed is an http.Server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own, is := conn.(*connection)
	if _, counts := c.open[own]; is && counts {
		c.open[own] = use{state, time.Now()}
		c.free.Broadcast()
	}
}

// Close implements net.Listener.
func (c *connections) Close() error {
	c.mu.Lock()
	c.closed = true
	c.free.Broadcast()
	c.mu.Unlock()
	return c.Listener.Close()
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.free.Broadcast()
	c.of.mu.Unlock()
	return c.Conn.Close()
}
