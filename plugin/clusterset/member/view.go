package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// State is how far a View can be trusted.
type State uint8

const (
	// Unsynced says that there never were whole data. Data is empty, and says nothing.
	Unsynced State = iota
	// Fresh says that the data are whole and their watches are proven alive.
	Fresh
	// Stale says that the data are whole, and nothing proves that they are still true.
	Stale
)

// String is the word for it in status pages.
func (s State) String() string { return [...]string{"unsynced", "fresh", "stale"}[s] }

// View is what a member's API said, and how far that can be trusted. It is
// immutable.
type View struct {
	// Data is never nil.
	Data  *model.Data
	State State
	// Since is when the API last proved to be alive, as far as it is known now; of
	// a Fresh view, when that view was made. Only who serves a Stale view needs it:
	// its age is time.Since(Since).
	Since time.Time
	// Err is why the view isn't Fresh, nil where it is: a short text without the
	// member's name, good for an extended DNS error (RFC 8914).
	Err error
}
