package batch

import (
	"sync/atomic"
	"time"
)

const (
	// tick is how often batches are looked at while there are any. A query that is seen twice
	// has taken too long, and a batch that is seen slowBatch times.
	//
	// A busy system may let a worker wait for some milliseconds; that is not to be taken for
	// a handler that waits.
	tick      = 5 * time.Millisecond
	slowBatch = 3

	// Where slowMost batches took too long in slowIn ticks, each query has a worker of its own
	// for spreadFor ticks.
	slowMost  = 3
	slowIn    = int(500 * time.Millisecond / tick)
	spreadFor = int(8 * time.Second / tick)
)

// A watch sees to it that no query waits for long behind one whose handler waits without saying
// so (turn.Yield), or computes for long: what is left of its batch goes to other workers, a query
// each, as dns.Server does it. Where that goes on, all queries do.
type watch struct {
	socket *socket
	timer  *time.Timer
	awake  atomic.Bool
	spread atomic.Bool // each query has a worker of its own

	// Of look alone: how many batches were slow, and for how many ticks that, and spread, counts.
	slow, slowTicks, spreadTicks int
}

func (w *watch) init(s *socket) {
	w.socket = s
	w.timer = time.AfterFunc(time.Hour, w.look)
	w.timer.Stop()
}

func (w *watch) stop() { w.timer.Stop() }

// wake has the watch look while there are batches.
func (w *watch) wake() {
	if !w.awake.Load() && w.awake.CompareAndSwap(false, true) {
		w.timer.Reset(tick)
	}
}

// look passes on each batch that has taken too long.
func (w *watch) look() {
	busy := w.age()
	for _, b := range w.socket.batches {
		turns := b.turns.Load()
		answers := turns%2 == 1
		if answers && b.slow(turns) && b.unstick() {
			w.count()
		}
		busy = busy || answers || turns != b.seen.turns
		b.seen.turns = turns
	}
	if !busy {
		w.awake.Store(false)
		if !w.socket.busy() || !w.awake.CompareAndSwap(false, true) {
			return // what begins now wakes it
		}
	}
	w.timer.Reset(tick)
}

// seen is what the watch saw of a batch.
type seen struct {
	turns uint64
	times int    // how often it was seen with these turns
	query uint64 // that was being answered then
}

// slow reports whether the batch has taken too long.
func (b *batch) slow(turns uint64) bool {
	query := b.queries.Load()
	again := turns == b.seen.turns
	same := again && query == b.seen.query
	if b.seen.query = query; !again {
		b.seen.times = 0
	}
	b.seen.times++
	return same || b.seen.times >= slowBatch
}

// age takes a tick of what counts for some ticks, and reports whether something does.
func (w *watch) age() bool {
	if w.slowTicks = max(w.slowTicks-1, 0); w.slowTicks == 0 {
		w.slow = 0
	}
	w.spreadTicks = max(w.spreadTicks-1, 0)
	w.spread.Store(w.spreadTicks > 0)
	return w.slowTicks+w.spreadTicks > 0
}

// count counts a slow batch.
func (w *watch) count() {
	if w.slow++; w.slow == 1 {
		w.slowTicks = slowIn
	}
	if w.slow >= slowMost {
		w.slow, w.slowTicks, w.spreadTicks = 0, 0, spreadFor
		w.spread.Store(true)
	}
}

// busy reports whether there's a batch whose packets are being answered.
func (s *socket) busy() bool {
	for _, b := range s.batches {
		if b.turns.Load()%2 == 1 {
			return true
		}
	}
	return false
}

// unstick passes the batch on, and reports whether its worker was in a handler.
func (b *batch) unstick() bool {
	b.mu.Lock()
	q := b.current
	b.current = nil
	b.mu.Unlock()
	if q == nil {
		return false
	}
	b.spread = true
	q.passOn(q.server.metrics.slow)
	return true
}
