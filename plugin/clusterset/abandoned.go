package clusterset

import (
	"time"

	"github.com/miekg/dns"
)

// abandoned reports whether the query ended because of who asked: a client that has
// gone, as by DNS over HTTPS it may, or a question that this one is a part of and that
// has no time left. Asked by somebody else, the member may well have answered.
func (q *ask) abandoned() bool {
	if q.ctx.Err() != nil {
		return true
	}
	end, ok := q.ctx.Deadline()
	return ok && q.within() != nil && !time.Now().Before(end)
}

// abandon has CoreDNS reply, in a way that the cache plugin doesn't keep: a failure
// without a message where the context has ended, and REFUSED where it is about to.
func (q *ask) abandon(from sourceName, err error) (int, error) {
	rcode := dns.RcodeRefused
	if q.ctx.Err() != nil {
		rcode = dns.RcodeServerFailure
	}
	q.count(from, rcode)
	q.label(ctxSource, from.String())
	return rcode, err
}
