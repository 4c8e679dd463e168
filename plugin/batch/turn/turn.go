// Package turn lets the handler of a query that is answered in a batch say that it is about
// to wait, so that the queries behind it don't wait with it.
package turn

import "context"

// key is that of a query's Holder in its context.
type key struct{}

// Key is the key under which a query's context holds its Holder.
var Key any = key{}

// A Holder is a query whose handler runs while the rest of its batch waits for it.
type Holder interface {
	// Yield passes the rest of the batch on; the handler goes on by itself. Only its first
	// call does something, and only while the handler runs.
	Yield()
}

// Yield passes on the rest of the batch that ctx's query came in, if it came in one. A handler
// calls it before it waits: for the network, a lock that is held for long, a timer.
func Yield(ctx context.Context) {
	if h, ok := ctx.Value(Key).(Holder); ok {
		h.Yield()
	}
}
