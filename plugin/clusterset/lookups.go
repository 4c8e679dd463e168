package clusterset

import (
	"errors"
	"sync/atomic"

	"github.com/miekg/dns"
)

// budget is how many look-ups a question may still make: one value for it and all the
// look-ups within it, which a look-up that came too late goes on using.
type budget struct{ left atomic.Int32 }

func newBudget(left int) *budget {
	b := new(budget)
	b.left.Store(int32(left))
	return b
}

// take takes n look-ups, and reports whether there were as many.
func (b *budget) take(n int) bool { return b.left.Add(-int32(n)) >= 0 }

// spent reports whether more was taken than there was.
func (b *budget) spent() bool { return b.left.Load() < 0 }

var errLookups = errors.New("too many look-ups for one question")

// lookups is the question's budget.
func (q *ask) lookups() *budget {
	if q.budget != nil {
		return q.budget
	}
	if w := q.within(); w != nil {
		q.budget = w.budget
	} else {
		q.budget = newBudget(int(trailOf(q.state.Req).left))
	}
	return q.budget
}

// exhausted replies to a question that has made too many look-ups. Of one that was part
// of another, or is marked as such, nothing may be kept, as another client has more: it
// is REFUSED, and where a server like this one asked, it learns the reason by a record,
// and asks nobody else. (An option wouldn't get past a cache plugin.)
func (q *ask) exhausted(from sourceName) (int, error) {
	q.member.metrics.exhausted.Inc()
	err := q.memberError(errLookups)
	marked := trailOf(q.state.Req).marked
	if q.within() == nil && !marked {
		return q.failFrom(from, dns.ExtendedErrorCodeNoReachableAuthority, err)
	}
	if !marked {
		q.count(from, dns.RcodeRefused)
		return dns.RcodeRefused, err
	}
	m := new(dns.Msg)
	m.SetRcode(q.state.Req, dns.RcodeRefused)
	m.Extra = []dns.RR{&dns.RFC3597{Hdr: dns.RR_Header{Name: ".", Rrtype: hopsOption, Class: dns.ClassINET}}}
	status, _ := q.write(m, from) // which can't fail
	return status, err
}
