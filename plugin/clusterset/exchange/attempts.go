package exchange

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
)

// reason is why a message is sent.
type reason uint8

const (
	// first: it is the query's first.
	first reason = iota
	// failover: the last upstream failed.
	failover
	// retransmit: no reply came within the retransmission timeout.
	retransmit
	// hedge: the reply takes longer than usual.
	hedge
	// tcpRetry: the reply was truncated, and is asked for over a stream, or, where there
	// is none, with MaxSize.
	tcpRetry
	// withoutEDNS: the upstream replied that it doesn't support the query's EDNS.
	withoutEDNS
)

// attempt is one message to one upstream.
type attempt struct {
	*transport.Message
	to  *upstream
	why reason
}

// attempts are a query's, in the order they were made.
type attempts struct {
	call transport.Call
	list [transport.MaxMessages]attempt
}

// all returns the attempts there are.
func (s *attempts) all() []attempt { return s.list[:s.call.Len()] }

func (s *attempts) full() bool { return s.call.Len() == transport.MaxMessages }

// add adds an attempt, which is the caller's to fill in and send.
//
//go:noinline
func (s *attempts) add() *attempt {
	m := s.call.Add()
	a := &s.list[m.Nth]
	a.Message = m
	return a
}

// count returns how many there were at the upstream.
func (s *attempts) count(u *upstream) int {
	n := 0
	for i := range s.all() {
		if s.list[i].to == u {
			n++
		}
	}
	return n
}

// any reports whether there was one at the upstream that is so.
func (s *attempts) any(u *upstream, is func(*attempt) bool) bool {
	for i := range s.all() {
		if a := &s.list[i]; a.to == u && is(a) {
			return true
		}
	}
	return false
}

// asked reports whether the upstream was sent the message over a stream, or over none.
//
//go:noinline
func (s *attempts) asked(u *upstream, stream bool) bool {
	return s.any(u, func(a *attempt) bool { return a.Stream == stream })
}

// suspect has the upstreams probed that haven't answered.
func (s *attempts) suspect() {
	for i := range s.all() {
		if a := &s.list[i]; a.InFlight() {
			a.to.health.suspect()
		}
	}
}

// miss counts a miss of each upstream that was asked before the winner, and not answered
// as it was.
func (s *attempts) miss(winner *attempt) {
	now := time.Now()
	for i := range s.all() {
		a := &s.list[i]
		if a == winner || winner == nil {
			return
		}
		if a.to != winner.to {
			a.to.ejection.miss(now)
		}
	}
}
