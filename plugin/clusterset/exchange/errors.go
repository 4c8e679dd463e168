package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"syscall"

	"github.com/miekg/dns"

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
	// Spent: a server like this one has spent the question's budget of look-ups. It
	// gave the query's option back in a failing reply.
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

// Error is for a log. What the upstream, or who is in its place, may have written (the
// names in a certificate) is escaped.
func (e *Error) Error() string {
	text := "member " + e.Member + ": " + e.Reason.String()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return quoted.Line(text, maxWords)
}

// Brief is Error for a client: it has nothing of the upstream's words, and maxBrief
// bytes at the most; without the upstreams where they don't fit in.
func (e *Error) Brief() string {
	const front = "member "
	if text := front + e.Member + ": " + e.Reason.String() + e.own; len(text) <= maxBrief {
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

// words is an error whose text may come from outside, and goes into a log.
type words struct{ error }

func (w words) Error() string { return quoted.Line(w.error.Error(), maxWords) }

func (w words) Unwrap() error { return w.error }

// What an upstream did wrong.
var (
	errNoReply   = errors.New("no reply")
	errMalformed = errors.New("malformed reply")
	errTruncated = errors.New("truncated reply")
	errClosed    = errors.New("closed")
)

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

// ownWords says what an upstream did wrong without a word that it may have written.
func ownWords(err error) string {
	if rcode, ok := errors.AsType[rcodeError](err); ok {
		return rcode.Error()
	}
	if status, ok := errors.AsType[statusError](err); ok {
		return status.Error()
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	for _, own := range []error{errNoReply, errMalformed, errTruncated, errUnasked, errUnread, errClosed} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	return reasonOf(err).String()
}

// statusError is an HTTP status that isn't 200.
type statusError int

func (s statusError) Error() string { return "HTTP status " + strconv.Itoa(int(s)) }

func reasonOf(err error) Reason {
	if _, ok := errors.AsType[rcodeError](err); ok {
		return BadReply
	}
	if _, ok := errors.AsType[statusError](err); ok {
		return BadReply
	}
	switch {
	case errors.Is(err, errNoReply):
		return NoReply
	case isLocal(err):
		return Local
	case errors.Is(err, errMalformed), errors.Is(err, errTruncated), errors.Is(err, errUnasked):
		return BadReply
	case errors.Is(err, context.Canceled), errors.Is(err, errClosed):
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

// plain takes the layers off a network error, which repeat the addresses and
// name system calls.
func plain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errNoReply
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err
	}
	if request, ok := errors.AsType[*url.Error](err); ok {
		return request.Err
	}
	return err
}
