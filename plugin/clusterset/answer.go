package clusterset

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// answer makes the member's reply an answer to the question, and writes it: what
// doesn't answer it left out, names renamed, addresses checked and exchanged for
// gateways, a CNAME that leads out of the member's domain followed here.
func (q *ask) answer(reply *dns.Msg, asked string, from sourceName) (int, error) {
	t := translation{ask: q, renaming: q.renaming(asked), guard: q.p.options.addressGuard && from != fromLocal}
	t.renaming.Select(reply, q.askedType())
	if reply.Rcode == dns.RcodeNameError && len(reply.Answer) == 0 {
		return q.notFound(reply, asked, from)
	}
	if q.asksExistence() {
		return q.exists(reply, asked, from)
	}
	authority := reply.Ns
	m := q.reply(reply)
	m.Answer = t.records(m.Answer, inAnswer)
	m.Extra = t.records(m.Extra, inAdditional)
	if done, status, err := q.refused(&t, m, from); done {
		return status, err
	}
	target := q.open(m)
	if from == fromForward && !q.followedThere(m.Answer, target != "") {
		return q.exhausted(from)
	}
	if target != "" {
		return q.follow(m, target, &t, from)
	}
	if len(m.Answer) == 0 && !m.Truncated {
		return q.empty(m, authority, &t.renaming, from)
	}
	m.Ns = t.records(authority, inAuthority)
	return q.write(m, from)
}

// refused replies where the translation left none of the addresses.
func (q *ask) refused(t *translation, m *dns.Msg, from sourceName) (done bool, status int, err error) {
	if t.unreachable {
		status, err = q.noData(m, from, dns.ExtendedErrorCodeFiltered, "member "+q.member.Name+" is in another network and has no gateway of this family")
		return true, status, err
	}
	if t.dropped == 0 {
		return false, 0, nil
	}
	q.member.metrics.guarded.Add(float64(t.dropped))
	t.dropped = 0
	if len(m.Answer) > 0 {
		return false, 0, nil
	}
	status, err = q.failFrom(from, dns.ExtendedErrorCodeFiltered, q.guarded())
	return true, status, err
}

func (q *ask) renaming(asked string) query.Renaming {
	suffix := q.suffix
	if query.IsReverse(q.zone) {
		suffix = q.member.Name + "." + q.p.primaryZone()
	}
	return query.Renaming{Asked: q.qname, AskedOf: asked, Domain: q.member.ClusterDomain, Suffix: suffix}
}

// reply makes the member's message, which is ours, the reply to the question.
// Its answer and additional records are still to be renamed; its authority is
// taken out, as not every reply has one.
func (q *ask) reply(m *dns.Msg) *dns.Msg {
	r := q.state.Req
	m.Id, m.Response, m.Zero = r.Id, true, false
	m.Opcode, m.RecursionDesired, m.CheckingDisabled = r.Opcode, r.RecursionDesired, r.CheckingDisabled
	m.AuthenticatedData = false
	m.Question = append(m.Question[:0], r.Question[0])
	m.Ns = nil
	if m.Rcode == dns.RcodeNameError { // of a CNAME's target, which is looked up here
		m.Rcode = dns.RcodeSuccess
	}
	return m
}

// translation turns a member's records into ours.
type translation struct {
	ask      *ask
	renaming query.Renaming
	// ours is set for records made from data: their names need no renaming.
	ours  bool
	guard bool
	// dropped counts the records that can't be the member's.
	dropped int
	// unreachable is set when addresses were left out for want of a gateway.
	unreachable bool
}

// records are those of rrs that the member may say something about, renamed.
// They are the reply's own, changed in place: nobody else has them. A list of
// its own is made where one record may become several.
func (t *translation) records(rrs []dns.RR, in section) []dns.RR {
	kept := rrs[:0]
	foreign := t.ask.snap.foreign(t.ask.member)
	if foreign {
		kept = make([]dns.RR, 0, len(rrs))
	}
	for _, rr := range rrs {
		if t.leaveOut(rr) {
			continue
		}
		if !t.allows(rr) {
			t.dropped++
			continue
		}
		if !t.rename(rr, in) || t.ask.hides(rr) {
			continue
		}
		if t.isAnothers(rr, in) {
			if goesOn(rr, in) {
				continue
			}
			break
		}
		if foreign && isAddress(rr) {
			kept = t.gateways(kept, rr)
			continue
		}
		query.WithoutHints(rr)
		kept = append(kept, rr)
	}
	return kept
}

// allows reports whether the member may say what the record does: an address of its
// own, or the name of one in its own domain.
func (t *translation) allows(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA:
		addr, ok := address(rr)
		return ok && (!t.guard || t.ask.trusts(addr))
	case *dns.PTR:
		name := rr.Ptr
		return t.ours || t.renaming.Name(&name) && t.ask.isMembers(name)
	}
	return !t.guard || !query.HidesAddress(rr)
}

// section of a message: the owner that was asked is renamed in its answer.
type section uint8

const (
	inAnswer section = iota
	inAuthority
	inAdditional
)

func (t *translation) rename(rr dns.RR, in section) bool {
	switch {
	case t.ours:
		return true
	case in == inAnswer:
		return t.renaming.Answer(rr)
	}
	return t.renaming.Other(rr)
}

// isAnothers reports whether a renamed record is of a name that isn't the member's. (An
// authority section that is kept says what there isn't.)
func (t *translation) isAnothers(rr dns.RR, in section) bool {
	return in != inAuthority && !t.ours && !t.ask.isMembers(rr.Header().Name)
}

// goesOn reports whether the records behind one of another's name may be the member's:
// those of an answer are where that name leads, but for a DNAME above it.
func goesOn(rr dns.RR, in section) bool { return in != inAnswer || rr.Header().Rrtype == dns.TypeDNAME }

// leaveOut tells of records that aren't part of an answer: EDNS is each hop's
// own, and signatures don't survive renaming.
func (t *translation) leaveOut(rr dns.RR) bool {
	switch rr.Header().Rrtype {
	case dns.TypeOPT, dns.TypeTSIG:
		return true
	case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		return !t.renaming.Identity()
	}
	return false
}

// gateways adds the member's gateways in the place of the addresses of rr's
// owner, once for each owner.
func (t *translation) gateways(kept []dns.RR, rr dns.RR) []dns.RR {
	h := rr.Header()
	for _, k := range kept {
		if k.Header().Name == h.Name && k.Header().Rrtype == h.Rrtype {
			return kept
		}
	}
	before := len(kept)
	for _, gateway := range t.ask.member.Gateways {
		if gateway.Is4() == (h.Rrtype == dns.TypeA) {
			kept = append(kept, addressRecord(h.Name, h.Ttl, gateway))
		}
	}
	if len(kept) == before && h.Rrtype == t.ask.state.QType() {
		t.unreachable = true
	}
	return kept
}

func isAddress(rr dns.RR) bool {
	rrtype := rr.Header().Rrtype
	return rrtype == dns.TypeA || rrtype == dns.TypeAAAA
}

func address(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		addr, ok := netip.AddrFromSlice(rr.A)
		return addr.Unmap(), ok
	case *dns.AAAA:
		addr, ok := netip.AddrFromSlice(rr.AAAA)
		return addr.Unmap(), ok // ::ffff:10.0.0.1 is no way around the guard
	}
	return netip.Addr{}, false
}

func addressRecord(owner string, ttl uint32, addr netip.Addr) dns.RR {
	if addr.Is4() {
		return &dns.A{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: ttl}, AAAA: addr.AsSlice()}
}

// open is the target of a CNAME at the end of the answer, which the member
// didn't resolve or has no say about, or "". One that leads back into the answer
// leads nowhere.
func (q *ask) open(m *dns.Msg) string {
	if q.state.QType() == dns.TypeCNAME {
		return ""
	}
	target := ""
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.CNAME:
			target = rr.Target
		case *dns.RRSIG:
		default:
			return ""
		}
	}
	for _, rr := range m.Answer {
		if strings.EqualFold(rr.Header().Name, target) {
			return ""
		}
	}
	return target
}

// followedThere takes from the budget what look-ups the CNAMEs of a member's reply took
// there, and reports whether it had as many. The last one may be left to follow.
func (q *ask) followedThere(answer []dns.RR, open bool) bool {
	n := 0
	for _, rr := range answer {
		if rr.Header().Rrtype == dns.TypeCNAME {
			n++
		}
	}
	if open {
		n--
	}
	return n <= 0 || q.lookups().take(n)
}
