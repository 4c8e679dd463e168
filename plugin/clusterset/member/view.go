package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// State is how current a View is.
type State uint8

const (
	// Unsynced data never were whole; they are empty.
	Unsynced State = iota
	// Fresh data are whole, and their watches are proven alive.
	Fresh
	// Stale data are whole, and nothing proves that they are still true.
	Stale
)

// String returns the metrics' label.
func (s State) String() string { return [...]string{"unsynced", "fresh", "stale"}[s] }

// View is a member's data, and how current they are. It is immutable.
type View struct {
	// Data is never nil.
	Data  *model.Data
	State State
	// Since is when the API was last proven alive, of a Fresh view when it was made. The
	// age of a Stale view is time.Since(Since).
	Since time.Time
	began time.Time // the state, as far as it was published
	// Err is why the view isn't Fresh, nil where it is: a short text without the member's
	// name, which may go into an extended DNS error (RFC 8914).
	Err error
}

// IsFresh reports whether the view is Fresh; that of no data, nil, isn't.
func (v *View) IsFresh() bool { return v != nil && v.State == Fresh }

// report reports a new View to the log.
func (o *Options) report(old, v *View) {
	if old != nil && old.State == v.State {
		return
	}
	switch {
	case old == nil:
	case v.State == Stale:
		o.Log.Warningf("%s: data are stale: %v", o.subject(), v.Err)
	case v.State == Fresh && old.State == Stale:
		o.Log.Infof("%s: data are fresh again, after %v", o.subject(), time.Since(old.Since).Round(time.Millisecond))
	case v.State == Fresh:
		services, slices := v.Data.Count()
		o.Log.Infof("%s: synced: %d services, %d endpointslices", o.subject(), services, slices)
	}
}
