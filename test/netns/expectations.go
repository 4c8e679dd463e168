//go:build e2e && linux

package netns

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// expectation returns an error that says what is wrong with an answer.
type expectation func(answer) error

// late is an error about the time alone, which a machine that does something else
// may have spoilt.
type late string

func (l late) Error() string { return string(l) }

func isLate(err error) bool {
	_, is := errors.AsType[late](err)
	return is
}

// gravestFirst orders what can't be for the noise before what can.
func gravestFirst(a, b error) int {
	switch {
	case isLate(a) == isLate(b):
		return 0
	case isLate(b):
		return -1
	}
	return 1
}

// right is the one address that the name has.
func right(within time.Duration) expectation {
	return timely(within, func(a answer) bool {
		return a.Rcode == dns.RcodeSuccess && !a.Truncated && slices.Equal(a.records(), []string{a.name + " A " + a.want})
	}, "its address")
}

// failed is SERVFAIL for a reason that names the member.
func failed(within time.Duration) expectation {
	return timely(within, func(a answer) bool {
		ede := a.reason()
		return a.Rcode == dns.RcodeServerFailure && ede != nil && aboutMember(ede, a.name)
	}, "SERVFAIL, EDE 22 or 23 with the member")
}

// unanswered is failed, because nothing came that could be taken for an answer.
func unanswered(within time.Duration) expectation {
	return timely(within, func(a answer) bool {
		ede := a.reason()
		return a.Rcode == dns.RcodeServerFailure && ede != nil && aboutMember(ede, a.name) &&
			ede.InfoCode == dns.ExtendedErrorCodeNoReachableAuthority
	}, "SERVFAIL, EDE 22 with the member")
}

// truncated tells the client to ask over TCP.
func truncated(within time.Duration) expectation {
	return timely(within, func(a answer) bool {
		return a.Rcode == dns.RcodeSuccess && a.Truncated && len(a.Answer) == 0
	}, "TC and no records")
}

// refused is REFUSED.
func refused(within time.Duration) expectation {
	return timely(within, func(a answer) bool { return a.Rcode == dns.RcodeRefused }, "REFUSED")
}

// timely wants an answer that is so, within a time.
func timely(within time.Duration, so func(answer) bool, want string) expectation {
	return func(a answer) error {
		took := a.took.Round(100 * time.Microsecond)
		switch {
		case a.err != nil:
			return a.err
		case !so(a):
			return fmt.Errorf("%s %q %v after %v, want %s", a.kind(), a.records(), a.reason(), took, want)
		case a.took > within:
			return late(fmt.Sprintf("%s after %v, want it within %v", a.kind(), took, within))
		}
		return nil
	}
}

// either wants one of two.
func either(one, other expectation) expectation {
	return func(a answer) error {
		err := one(a)
		if err == nil || isLate(err) {
			return err
		}
		return other(a)
	}
}
