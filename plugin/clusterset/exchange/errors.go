package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Reason is why a query failed.
type Reason uint8

// The first ones are of an attempt at one upstream, the others of a query as a
// whole.
const (
	// NoReply: an upstream let its time pass.
	NoReply Reason = iota
	// Network: an upstream couldn't be reached: a refused port, no route, a
	// failed TLS handshake.
	Network
	// Local: this machine couldn't ask: no file descriptor, port or buffer.
	Local
	// BadReply: an upstream said SERVFAIL, REFUSED, or what can't be parsed.
	BadReply
	// Canceled: the caller's context ended.
	Canceled
	attemptReasons

	// Down: every upstream was known to be down, and none was asked.
	Down = attemptReasons + iota
	// Busy: too many queries in flight for the member.
	Busy
	// Unsendable: the query can't be put into a message.
	Unsendable
	// Spent: the question's budget of look-ups is spent, as a server like this one reports
	// with the query's option in a failing reply.
	Spent
)

var reasons = map[Reason]string{
	NoReply: "no reply", Network: "unreachable", Local: "out of resources", BadReply: "bad reply", Canceled: "canceled",
	Down: "down", Busy: "too many queries in flight", Unsendable: "unsendable", Spent: "too many look-ups",
}

func (r Reason) String() string { return reasons[r] }

// Error is a failed exchange: which member, why, and what each upstream did.
type Error struct {
	Member string
	// Reason is that of the last upstream asked.
	Reason Reason
	// Err joins one error for each upstream.
	Err error
	// own is Err in our own words, last its end.
	own, last string
}

const (
	// maxBrief and maxWords are how much text goes to a client, and into a log, in
	// bytes.
	maxBrief, maxWords = 100, 256
)

// Error returns the text for a log. What the upstream, or who is in its place, may have
// written (the names in a certificate) is escaped.
func (e *Error) Error() string {
	text := "member " + e.Member
	if e.Err == nil || e.Reason >= attemptReasons {
		text += ": " + e.Reason.String()
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return quoted.Line(text, maxWords)
}

// Brief returns the text for a client: nothing of the upstream's words, and maxBrief
// bytes at the most; without the upstreams where they don't fit in.
func (e *Error) Brief() string {
	const front = "member "
	text := front + e.Member
	if e.own == "" || e.Reason >= attemptReasons {
		text += ": " + e.Reason.String()
	}
	if text += e.own; len(text) <= maxBrief {
		return text
	}
	why := cmp.Or(e.last, e.Reason.String())
	return front + e.Member[:min(len(e.Member), maxBrief-len(front)-len(why)-2)] + ": " + why
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) add(u *upstream, err error) {
	e.Reason = reasonOf(err)
	e.last = ownWords(err)
	one := fmt.Errorf("%s: %w", u.address, err)
	if e.Err == nil {
		e.Err, e.own = one, ": "+u.address.String()+": "+e.last
		return
	}
	e.Err, e.own = fmt.Errorf("%w; %w", e.Err, one), e.own+"; "+u.address.String()+": "+e.last
}

// quotedError is an error whose text may come from outside, and goes into a log.
type quotedError struct{ error }

func (q quotedError) Error() string { return quoted.Line(q.error.Error(), maxWords) }

func (q quotedError) Unwrap() error { return q.error }

// errTruncated is a reply that is of no use to a client over TCP.
var errTruncated = errors.New("truncated reply")

// rcodeError is a reply that says the upstream can't or won't answer.
type rcodeError int

func (r rcodeError) Error() string {
	name := dns.RcodeToString[int(r)]
	switch {
	case r == dns.RcodeBadVers: // TSIG's BADSIG has the same number
		name = "BADVERS"
	case name == "":
		name = "rcode " + strconv.Itoa(int(r))
	}
	return "answered " + name
}

func asRcode(err error) (rcodeError, bool) { return errors.AsType[rcodeError](err) }

// ownWords returns what an upstream did wrong without a word that it may have written.
func ownWords(err error) string {
	if rcode, ok := asRcode(err); ok {
		return rcode.Error()
	}
	if status, ok := errors.AsType[transport.StatusError](err); ok {
		return status.Error()
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	for _, own := range []error{
		transport.ErrNoReply, wire.ErrMalformed, errTruncated, transport.ErrUnasked, transport.ErrUnread, transport.ErrClosed,
	} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	return reasonOf(err).String()
}

func reasonOf(err error) Reason {
	if _, ok := asRcode(err); ok {
		return BadReply
	}
	if _, ok := errors.AsType[transport.StatusError](err); ok {
		return BadReply
	}
	switch {
	case errors.Is(err, transport.ErrNoReply):
		return NoReply
	case isLocal(err):
		return Local
	case errors.Is(err, wire.ErrMalformed), errors.Is(err, errTruncated), errors.Is(err, transport.ErrUnasked):
		return BadReply
	case errors.Is(err, context.Canceled), errors.Is(err, transport.ErrClosed):
		return Canceled
	}
	return Network
}

func isLocal(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
