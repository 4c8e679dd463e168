package exchange

import "sync/atomic"

// Inflight bounds what is in flight for one member, whoever asks. Its methods may be
// called at the same time; nil has no bound.
type Inflight struct {
	max int64
	n   atomic.Int64
}

// NewInflight returns one with room for max at a time; 0 is no bound.
func NewInflight(max int64) *Inflight { return &Inflight{max: max} }

// Enter reports whether there was room for one more, which then is to Leave.
func (i *Inflight) Enter() bool {
	if i == nil {
		return true
	}
	if n := i.n.Add(1); i.max > 0 && n > i.max {
		i.n.Add(-1)
		return false
	}
	return true
}

// Leave makes room.
func (i *Inflight) Leave() {
	if i != nil {
		i.n.Add(-1)
	}
}
