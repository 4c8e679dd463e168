package probe

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outcome is what a dial brings.
type outcome byte

const (
	accepted outcome = iota
	refused
	blackHole
	noFiles
)

// network is a gateway without a network: dial is a prober's.
type network struct {
	now     atomic.Uint32       // the outcome of dials
	script  func(n int) outcome // of the nth dial, instead of now
	serve   func(net.Conn)      // has the other end of what is accepted; nil closes it
	serving sync.WaitGroup
	mu      sync.Mutex
	dials   []time.Time
	dialed  chan struct{} // one for each dial, where it is set
}

func (n *network) set(o outcome) { n.now.Store(uint32(o)) }

func (n *network) times() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[:len(n.dials):len(n.dials)]
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, time.Now())
	next := outcome(n.now.Load())
	if n.script != nil {
		next = n.script(len(n.dials) - 1)
	}
	n.mu.Unlock()
	if n.dialed != nil {
		n.dialed <- struct{}{}
	}
	switch next {
	case refused:
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case noFiles:
		return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
	case blackHole:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client, server := net.Pipe()
	if n.serve == nil {
		return client, server.Close()
	}
	n.serving.Go(func() {
		defer server.Close()
		n.serve(server)
	})
	return client, nil
}

// changes records what Changed was given.
type changes struct {
	mu    sync.Mutex
	alive []bool
}

func (c *changes) changed(alive bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if alive != (err == nil) {
		panic(fmt.Sprint(alive, err))
	}
	c.alive = append(c.alive, alive)
}

// seen returns the changes.
func (c *changes) seen() (alive []bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.alive)
}

func (c *changes) options(n *network) Options {
	return Options{Changed: c.changed, dial: n.dial}
}
