package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"

	"github.com/miekg/dns"
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
)

var reasons = map[Reason]string{
	NoReply: "no reply", Network: "unreachable", Local: "out of resources", BadReply: "bad reply", Canceled: "canceled",
	Down: "down", Busy: "too many queries in flight", Unsendable: "unsendable",
}

func (r Reason) String() string { return reasons[r] }

// Error is a failed exchange: which member, why, and what each upstream did.
type Error struct {
	Member string
	// Reason is that of the last upstream asked.
	Reason Reason
	// Err joins one error for each upstream.
	Err error
}

func (e *Error) Error() string {
	text := "member " + e.Member + ": " + e.Reason.String()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) add(u *upstream, err error) {
	e.Reason = reasonOf(err)
	one := fmt.Errorf("%s: %w", u.address, oneLine{err})
	if e.Err == nil {
		e.Err = one
		return
	}
	e.Err = fmt.Errorf("%w; %w", e.Err, one)
}

// oneLine is an error whose text may come from the upstream (its certificate),
// and goes into a log.
type oneLine struct{ error }

func (e oneLine) Error() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, e.error.Error())
}

func (e oneLine) Unwrap() error { return e.error }

// What an upstream did wrong.
var (
	errNoReply   = errors.New("no reply")
	errMalformed = errors.New("malformed reply")
	errMismatch  = errors.New("reply to another question")
	errClosed    = errors.New("closed")
)

// rcodeError is a reply that says the upstream can't or won't answer.
type rcodeError int

func (r rcodeError) Error() string { return "answered " + dns.RcodeToString[int(r)] }

func reasonOf(err error) Reason {
	if _, ok := errors.AsType[rcodeError](err); ok {
		return BadReply
	}
	switch {
	case errors.Is(err, errNoReply):
		return NoReply
	case isLocal(err):
		return Local
	case errors.Is(err, errMalformed), errors.Is(err, errMismatch):
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
	return err
}
