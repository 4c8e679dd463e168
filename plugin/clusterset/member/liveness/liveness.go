// Package liveness is when a member's API was last proven alive, and whether a ping is
// enough to prove it again. It sends nothing itself.
//
// Where watches stand on connections of HTTP/2, an API is pinged, which is no request: a
// thousand clusters that watch each other would have theirs answer 667 of them a second.
// What a ping doesn't show is asked by request: whether the credentials are accepted,
// whether it is still the same cluster, and whether there is an API behind what answers.
package liveness

import (
	"sync/atomic"
	"time"
)

// AskTime is how long a new session asks as well: an API server accepts a token for some
// 10 s after it was revoked, and that often is when the next one is given. Later it shows
// when a watch is renewed, within 10 minutes.
const AskTime = time.Minute

// silentMost is how long pings alone count. What answers them may be a proxy, and who is
// behind it dead; but an API server sends a bookmark within 75 s.
const silentMost = 90 * time.Second

// Proofs are those of one session, which began with it. Last, NoteWord and NotePing may be
// called by anyone, the others by one goroutine.
type Proofs struct {
	Began time.Time
	// AskTime is how long pings aren't enough after that.
	AskTime time.Duration
	// last is when something last proved the API alive, in nanoseconds after Began; word
	// when that was something that it sent, and not a ping.
	last, word atomic.Int64
	// asked is how many connections there had been before the last request that succeeded.
	asked   int
	refused bool
}

// NoteWord notes that something that the API sent proved it alive just now.
func (p *Proofs) NoteWord() {
	p.NotePing()
	p.word.Store(p.last.Load())
}

// NotePing notes that a ping did.
func (p *Proofs) NotePing() { p.last.Store(int64(time.Since(p.Began))) }

// Last returns when anything last did.
func (p *Proofs) Last() time.Time { return p.Began.Add(time.Duration(p.last.Load())) }

// NoteAsked notes a request that succeeded, before which so many connections had been made.
func (p *Proofs) NoteAsked(dialed int) { p.asked, p.refused = dialed, false }

// NoteRefused notes a request whose credentials weren't accepted.
func (p *Proofs) NoteRefused() { p.refused = true }

// MustAsk reports whether a ping isn't enough, where so many connections have been made.
func (p *Proofs) MustAsk(dialed int) bool {
	now := time.Since(p.Began)
	return p.refused || dialed != p.asked || now < p.AskTime || now-time.Duration(p.word.Load()) > silentMost
}
