package clusterset

import (
	"errors"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

var errBusy = errors.New("too many queries in flight")

// follow looks up the target of the answer's CNAME through this server, and
// writes what that gives: its rcode is the answer's (RFC 6604, section 3), so
// that a target which can't be resolved now isn't taken for one without
// addresses. A target that this server refuses is left to the client.
func (q *ask) follow(m *dns.Msg, target string, t *translation, from sourceName) (int, error) {
	for target != "" {
		reply, err := q.followed(target)
		if err != nil || reply.Rcode == dns.RcodeRefused {
			return q.unfollowed(m, err, from)
		}
		found, end, next := q.chain(reply.Answer, target)
		if found = t.followed(found); t.dropped > 0 {
			q.member.metrics.guarded.Add(float64(t.dropped))
			t.dropped = 0
			if !q.isIn(found) {
				return q.failFrom(from, dns.ExtendedErrorCodeFiltered, q.guarded())
			}
		}
		m.Rcode = reply.Rcode
		if !isAnswer(m.Rcode) { // nobody's word about the client's own query, as FORMERR is: RFC 6891, section 7
			m.Rcode = dns.RcodeServerFailure
		}
		m.Truncated = m.Truncated || reply.Truncated
		m.Answer = joined(m.Answer, found)
		m.Ns, m.Extra = nil, nil
		if next == "" && !q.isIn(found) {
			m.Ns = proofs(reply.Ns, end)
		}
		if o := q.explained(reply, target); o != nil {
			m.Extra = []dns.RR{o}
		}
		target = next
	}
	q.fit(m)
	return q.write(m, from)
}

// unfollowed replies where the target couldn't be looked up: what there is goes to the
// client, unless this server may not or can't go on.
func (q *ask) unfollowed(m *dns.Msg, err error, from sourceName) (int, error) {
	switch {
	case errors.Is(err, errBusy):
		q.count(from, dns.RcodeRefused)
		return dns.RcodeRefused, q.memberError(err)
	case errors.Is(err, errLookups):
		return q.exhausted(from)
	case errors.Is(err, errLate):
		return q.failFrom(from, dns.ExtendedErrorCodeNoReachableAuthority, err)
	}
	return q.write(m, from)
}

// followed looks a CNAME's target up. That is the member's doing, and counts for it
// until it is over.
func (q *ask) followed(target string) (*dns.Msg, error) {
	inflight := q.member.inflight
	if !inflight.Enter() {
		q.member.metrics.exchange.Rejected.Inc()
		return nil, errBusy
	}
	reply, err := q.lookup(target, q.state.QType(), inflight.Leave)
	if err == nil { // here, as no way leads along a record that isn't given
		reply.Answer = slices.DeleteFunc(reply.Answer, func(rr dns.RR) bool { return !bounded(rr) })
	}
	return reply, err
}

// isAnswer reports whether a reply of that rcode says something about the name. All others
// are failures.
func isAnswer(rcode int) bool { return rcode == dns.RcodeSuccess || rcode == dns.RcodeNameError }

// chain is what a look-up's answer says about the target, to the name that it ends at,
// and where to go on: at a name of ours, which nobody else has the say about.
func (q *ask) chain(rrs []dns.RR, target string) (kept []dns.RR, end, next string) {
	kept, end = query.Chain(rrs, target, q.state.QType())
	if q.isOurs(target) {
		return kept, end, ""
	}
	kept = slices.DeleteFunc(kept, q.redirectsOurs)
	for i, rr := range kept {
		if cname, ok := rr.(*dns.CNAME); ok && q.state.QType() != dns.TypeCNAME && q.isOurs(cname.Target) {
			return kept[:i+1], cname.Target, cname.Target
		}
	}
	return kept, end, ""
}

// redirectsOurs reports whether a record is a DNAME above names of ours, and so would lead
// these elsewhere as well.
func (q *ask) redirectsOurs(rr dns.RR) bool {
	dname, is := rr.(*dns.DNAME)
	return is && q.isAboveOurs(dname.Hdr.Name)
}

// followed are the records to give of those that were found for the target of a
// member's CNAME, outside its domain. Whoever has the say there may be anybody: an
// address of a member comes from a name of that member alone. (dnsmasq's
// stop-dns-rebind and Unbound's private-address look at replies after CNAMEs too.)
func (t *translation) followed(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		query.WithoutHints(rr)
		allowed := t.allowsFollowed(rr)
		if !allowed {
			t.dropped++
		}
		return !allowed
	})
}

func (t *translation) allowsFollowed(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA:
		addr, ok := address(rr)
		return ok && (!t.guard || t.ask.trustsFollowed(rr.Header().Name, addr))
	case *dns.PTR:
		return query.InZone(rr.Ptr, t.renaming.Suffix) && t.ask.isMembers(rr.Ptr)
	}
	return !t.guard || !query.HidesAddress(rr)
}

// bounded bounds the record's TTL, and reports whether it is of class IN, with all the
// names that its type has.
func bounded(rr dns.RR) bool {
	h := rr.Header()
	h.Ttl = query.BoundedTTL(h.Ttl)
	return h.Class == dns.ClassINET && query.HasNames(rr)
}

// proofs are the records of an authority section that say that there is nothing at a
// name: its zone's. RFC 2308, section 2; RFC 4035, section 3.1.3.
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

// isIn tells whether there is a record of the type asked for.
func (q *ask) isIn(rrs []dns.RR) bool {
	return slices.ContainsFunc(rrs, func(rr dns.RR) bool { return rr.Header().Rrtype == q.state.QType() })
}

// joined is a chain of CNAMEs with what its target gave, until that comes back to
// where the chain has been: two ExternalNames may lead to each other.
func joined(chain, target []dns.RR) []dns.RR {
	for _, rr := range target {
		if _, isCNAME := rr.(*dns.CNAME); isCNAME && slices.ContainsFunc(chain, func(c dns.RR) bool { return dns.IsDuplicate(c, rr) }) {
			break
		}
		chain = append(chain, rr)
	}
	return chain
}
