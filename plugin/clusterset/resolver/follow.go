package resolver

import (
	"context"
	"errors"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
)

var errBusy = errors.New("too many queries in flight")

// openTarget returns the target of a CNAME at the end of an answer, which the member didn't
// resolve or isn't authoritative for, or "". One that leads back into the answer is a loop.
func openTarget(q *question.Question, answer []dns.RR) string {
	if q.Type == dns.TypeCNAME {
		return ""
	}
	target := ""
	for _, rr := range answer {
		switch rr := rr.(type) {
		case *dns.CNAME:
			target = rr.Target
		case *dns.RRSIG:
		default:
			return ""
		}
	}
	for _, rr := range answer {
		if question.SameName(rr.Header().Name, target) {
			return ""
		}
	}
	return target
}

// followedThere charges to the budget the CNAMEs that the member's DNS followed for its reply,
// and reports whether it had as many. The last one may be left to follow.
func followedThere(ctx context.Context, q *question.Question, answer []dns.RR, open bool) bool {
	n := 0
	for _, rr := range answer {
		if rr.Header().Rrtype == dns.TypeCNAME {
			n++
		}
	}
	if open {
		n--
	}
	return n <= 0 || question.LookUps(ctx, q).Take(n)
}

// follow looks up the target of the answer's CNAME through this server, and adds what that
// gives: its rcode is the answer's (RFC 6604, section 3), so that a target which can't be
// resolved now isn't taken for one without addresses. A target that this server refuses is
// left to the client.
func (r finisher) follow(ctx context.Context, f *records.Filter, res *question.Resolution, target string) *question.Resolution {
	q := res.Question
	for target != "" {
		reply, err := r.followed(ctx, q, target)
		if err != nil || reply.Rcode == dns.RcodeRefused {
			return r.unfollowed(ctx, res, err)
		}
		found, end, next := f.Chain(reply.Answer, target)
		before := f.Excluded[question.Guarded]
		found = f.Followed(found)
		res.Rare.Excluded = f.Excluded
		if f.Excluded[question.Guarded] > before && !isIn(found, q.Type) {
			return r.withheld(ctx, f, res, 0)
		}
		res.Rcode = reply.Rcode
		if !isAnswer(res.Rcode) { // about our look-up, not the client's query, as FORMERR is: RFC 6891, section 7
			res.Rcode = dns.RcodeServerFailure
		}
		res.Truncated = res.Truncated || reply.Truncated
		res.Answer = joined(res.Answer, found)
		res.Authority, res.Additional, res.Code, res.Text = nil, nil, question.NoExtendedError, ""
		if next == "" && !isIn(found, q.Type) {
			res.Authority = proofs(reply.Ns, end)
		}
		if code, text := f.ExtendedError(reply, target); code != question.NoExtendedError {
			res.Code, res.Text = code, text
		}
		target = next
	}
	return stale(res)
}

// unfollowed answers where the target couldn't be looked up: what there is goes to the client,
// unless this server may not or can't go on.
func (r finisher) unfollowed(ctx context.Context, res *question.Resolution, err error) *question.Resolution {
	q := res.Question
	switch {
	case errors.Is(err, errBusy):
		refused := q.Refuse(res.Source, q.MemberError(err))
		refused.Rare.Busy = true
		return refused
	case errors.Is(err, errLookUps):
		return r.exhausted(ctx, q, res.Source)
	case errors.Is(err, errLate):
		return r.fail(ctx, q, res.Source, dns.ExtendedErrorCodeNoReachableAuthority, err)
	}
	return stale(res)
}

// followed looks a CNAME's target up. That is the member's doing, and counts for it until it is
// over.
func (r finisher) followed(ctx context.Context, q *question.Question, target string) (*dns.Msg, error) {
	inflight := q.Member.Inflight
	if !inflight.Enter() {
		return nil, errBusy
	}
	reply, err := r.lookUp(ctx, q, target, q.Type, inflight.Leave)
	if err == nil { // before the chain is followed: no CNAME that is left out may lead on
		reply.Answer = slices.DeleteFunc(reply.Answer, func(rr dns.RR) bool { return !bounded(rr) })
	}
	return reply, err
}

// isAnswer reports whether a reply of that rcode says something about the name. All others are
// failures.
func isAnswer(rcode int) bool { return rcode == dns.RcodeSuccess || rcode == dns.RcodeNameError }

// bounded bounds the record's TTL, and reports whether it is of class IN, with all the names
// that its type has.
func bounded(rr dns.RR) bool {
	h := rr.Header()
	h.Ttl = query.BoundedTTL(h.Ttl)
	return h.Class == dns.ClassINET && query.HasNames(rr)
}

// proofs returns the records of an authority section that say that there is nothing at a name:
// its zone's. RFC 2308, section 2; RFC 4035, section 3.1.3.
func proofs(authority []dns.RR, name string) []dns.RR {
	zone := ""
	for _, rr := range authority {
		if h := rr.Header(); h.Rrtype == dns.TypeSOA && query.InZone(name, h.Name) {
			zone = h.Name
		}
	}
	return slices.DeleteFunc(authority, func(rr dns.RR) bool {
		if !bounded(rr) {
			return true
		}
		switch h := rr.Header(); h.Rrtype {
		case dns.TypeSOA:
			return h.Name != zone
		case dns.TypeNSEC, dns.TypeNSEC3, dns.TypeRRSIG:
			return zone == "" || !query.InZone(h.Name, zone)
		}
		return true
	})
}

// isIn reports whether there is a record of a type.
func isIn(rrs []dns.RR, rrtype uint16) bool {
	return slices.ContainsFunc(rrs, func(rr dns.RR) bool { return rr.Header().Rrtype == rrtype })
}

// joined returns a chain of CNAMEs with what its target gave, until that comes back to where
// the chain has been: two ExternalNames may lead to each other.
func joined(chain, target []dns.RR) []dns.RR {
	for _, rr := range target {
		if _, isCNAME := rr.(*dns.CNAME); isCNAME && slices.ContainsFunc(chain, func(c dns.RR) bool { return dns.IsDuplicate(c, rr) }) {
			break
		}
		chain = append(chain, rr)
	}
	return chain
}
