package apiclient

import (
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/net/http2"
)

// ErrNoPing is the error of a ping where no connection is open that could be pinged.
var ErrNoPing = errors.New("no connection of HTTP/2 is open")

// Ping has the server answer a ping on every connection of HTTP/2 that is open (RFC 9113,
// section 6.7). It costs an API less than any request: its HTTP server answers by itself,
// and nothing is authorized, counted or logged.
func (c *Conns) Ping(ctx context.Context) error {
	c.mu.Lock()
	c.dropClosed()
	open := slices.Collect(maps.Keys(c.multiplexed))
	c.mu.Unlock()
	err := ErrNoPing
	for _, conn := range open {
		if err = conn.Ping(ctx); err != nil {
			return err
		}
	}
	return err
}

// addMultiplexed has a connection pinged for as long as it is open.
func (c *Conns) addMultiplexed(conn *http2.ClientConn) { //nolint:staticcheck // as in frames.go
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropClosed()
	c.multiplexed[conn] = struct{}{}
}

func (c *Conns) dropClosed() {
	maps.DeleteFunc(c.multiplexed, func(conn *http2.ClientConn, _ struct{}) bool { return conn.State().Closed }) //nolint:staticcheck // as in frames.go
}

// Dialed returns how many connections there were, those that are open included.
func (c *Conns) Dialed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialed
}
