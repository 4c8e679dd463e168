package member

import "sync/atomic"

// equal reports whether v has the data and the state of o, so that whatever is computed
// from one is true of the other.
func (v *View) equal(o *View) bool {
	return v.State == o.State && (v.Data == o.Data || v.State == Unsynced)
}

var epoch atomic.Uint64

// Epoch counts the Views of all members that replaced one with other data or in another
// state: what was computed from Views is as they are now while it stays the same. Who
// computes loads it before the Views. It costs one atomic load.
func Epoch() uint64 { return epoch.Load() }
