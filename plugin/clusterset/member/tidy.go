package member

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// bigList is from how many items on a list's garbage is given back to the system
// at once. The runtime would keep what it grew by for minutes: seen after a list
// of 10,000 Services and slices without this, 53 to 84 MiB resident for 7.4 MiB of
// data. Giving back is a garbage collection of some 20 ms beside the queries.
const bigList = 1000

// tidyPause is how often that is done at the most, in the whole process.
const tidyPause = 5 * time.Second

var tidied atomic.Int64 // when it was last done, in nanoseconds since 1970

// tidy gives memory back, if there was a big list since the last time.
func (s *session) tidy() {
	if !s.untidy.Load() {
		return
	}
	last, now := tidied.Load(), time.Now().UnixNano()
	if now-last < int64(tidyPause) || !tidied.CompareAndSwap(last, now) {
		return // somebody's was just now: later
	}
	s.untidy.Store(false)
	debug.FreeOSMemory()
}
