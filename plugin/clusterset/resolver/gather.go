package resolver

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// gatherTime is how long other members are waited for once one has the service, by its DNS or
// its data: near ones answer within it, and a slow or dead one keeps no client.
const gatherTime = 100 * time.Millisecond

var (
	errPending = errors.New("no reply yet")
	errAlias   = errors.New("its Service is an ExternalName, which can't be exported")
)

// reply of a member's DNS.
type reply struct {
	member *members.Member
	res    *Resolution // nil where there is none yet
}

// has reports whether the member has the service.
func (a *reply) has() bool {
	return a.res != nil && a.res.Action == Reply && a.res.Rcode == dns.RcodeSuccess && !a.isAlias()
}

// isAlias reports whether the service is another name for something else.
func (a *reply) isAlias() bool {
	return len(a.res.Answer) > 0 && a.res.Answer[0].Header().Rrtype == dns.TypeCNAME
}

// hasAnswer reports whether data give an answer already, so that members' DNS is waited for no
// longer than where one of them has answered.
func (s *service) hasAnswer() bool {
	for i := range s.candidates {
		if s.plan.Tier(i) >= 0 && !s.candidates[i].Stale {
			return true
		}
	}
	return false
}

// gathered answers from what the data of some members and the DNS of others say.
func (r clusterset) gathered(ctx context.Context, q *Question, s *service) *Resolution {
	wait := r.Timeout
	if s.hasAnswer() {
		wait = gatherTime
	}
	replies, err := r.askAll(ctx, q, s.ask, wait, func(a *reply) bool { return a.member == q.Members.Local && s.isLocalFirst() })
	if err != nil {
		return r.exhausted(ctx, q, Forward)
	}
	all := *s
	all.candidates, all.unknown, all.out = slices.Clip(s.candidates), slices.Clip(s.unknown), slices.Clip(s.out)
	asked := make(map[int]*Resolution) // by the candidates' index
	b := serviceBuilder{service: &all, set: q.Members}
	for i := range replies {
		switch a := &replies[i]; {
		case !a.has():
			all.miss(a)
		case a.member != q.Members.Local && !a.member.IsAlive():
			all.out = append(all.out, newExcluded(a.member, errNoGateway, dns.ExtendedErrorCodeNoReachableAuthority))
		default:
			asked[len(all.candidates)] = a.res
			all.candidates = append(all.candidates, b.candidate(a.member, 0, 0, a.res.Source == Stale))
		}
	}
	all.plan = selection.NewPlan(all.candidates, &s.rules, b.here())
	choice := all.plan.Pick(selection.NewDraw(q.Client.Address(), s.key, q.Received, s.window))
	res := r.merged(ctx, q, &all, choice, asked)
	res.addParts(replies)
	return res
}

// addParts notes how members were asked.
func (r *Resolution) addParts(replies []reply) {
	for i := range replies {
		if part := replies[i].res; part != nil {
			r.Parts, r.Attempts = append(r.Parts, part), append(r.Attempts, part.Attempts...)
		}
	}
}

// miss notes why a member isn't a candidate; nothing where it hasn't the service.
func (s *service) miss(a *reply) {
	switch {
	case a.res == nil:
		s.unknown = append(s.unknown, newExcluded(a.member, errPending, dns.ExtendedErrorCodeNoReachableAuthority))
	case a.res.Action == Reply && a.res.Rcode == dns.RcodeNameError:
	case a.res.Rcode == dns.RcodeSuccess:
		s.out = append(s.out, newExcluded(a.member, errAlias, NoExtendedError))
	case a.res.Code == dns.ExtendedErrorCodeFiltered:
		s.out = append(s.out, excluded{a.member, a.res.failure(), a.res.Code})
	default:
		code := a.res.Code
		if code == NoExtendedError {
			code = dns.ExtendedErrorCodeNoReachableAuthority
		}
		s.unknown = append(s.unknown, excluded{a.member, a.res.failure(), code})
	}
}

// failure returns what went wrong.
func (r *Resolution) failure() error {
	if r.Err != nil {
		return r.Err
	}
	return errors.New("member " + r.Member.Name + ": " + dns.RcodeToString[r.Rcode])
}

// merged answers with what the chosen members have.
func (r clusterset) merged(ctx context.Context, q *Question, s *service, choice selection.Choice, asked map[int]*Resolution) *Resolution {
	if choice.Members() == nil {
		return r.none(ctx, q, s)
	}
	if first := choice.Members()[0]; len(choice.Members()) == 1 && asked[first] == nil {
		return r.fromData(ctx, q, s, choice, s.addresses[first])
	}
	form := query.Form{Owner: q.Name, Type: q.Type, TTL: r.TTL}
	m, a := merger{q: q, ttl: r.TTL}, answer{source: Data, serial: s.serial}
	for _, i := range choice.Members() {
		if s.candidates[i].Stale {
			a.source, a.stale = Stale, errStaleMembers
			form.TTL, m.ttl = min(form.TTL, maxStaleTTL), min(m.ttl, maxStaleTTL)
		}
		if res := asked[i]; res != nil {
			m.add(s.candidates[i].Name, res)
			if a.source != Stale {
				a.source = res.Source
			}
			continue
		}
		m.parts = append(m.parts, s.parts[i])
	}
	if s.asksHostnames(q) { // one that can't be looked up is left out
		found, ttl, _ := r.lookUpHosts(ctx, q, m.parts, true)
		m.addresses, m.ttl = append(m.addresses, found...), min(m.ttl, ttl)
	}
	reply := r.reply(q, s, choice, &a, m.records(&form))
	reply.Truncated = m.truncated
	return reply
}

// merger makes one answer of several members'.
type merger struct {
	q         *Question
	parts     []*query.Part // from data
	addresses []netip.Addr  // from DNS
	answer    []dns.RR      // SRV records, and their addresses
	extra     []dns.RR
	ttl       uint32
	truncated bool
}

// add adds what a member's DNS said, under our name.
func (m *merger) add(cluster string, res *Resolution) {
	service := res.Question.Name
	if res.Question.Parsed.Kind != query.Service { // _http._tcp.web.shop.svc.
		service = service[strings.LastIndex(strings.ToLower(service), "."+strings.ToLower(m.q.Parsed.SetKey())+".")+1:]
	}
	m.truncated = m.truncated || res.Truncated
	for _, rr := range res.Answer {
		if rr.Header().Rrtype != m.q.Type {
			continue
		}
		m.ttl = min(m.ttl, rr.Header().Ttl)
		if addr, ok := address(rr); ok {
			m.addresses = append(m.addresses, addr)
			continue
		}
		if srv, ok := rr.(*dns.SRV); ok {
			srv.Hdr.Name, srv.Target = m.q.Name, m.rename(srv.Target, service, cluster)
		}
		m.answer = append(m.answer, rr)
	}
	for _, rr := range res.Additional {
		if _, ok := address(rr); ok {
			rr.Header().Name = m.rename(rr.Header().Name, service, cluster)
			m.extra = append(m.extra, rr)
		}
	}
}

// rename returns the name over the ClusterSet of a member's service, or of an endpoint of it.
func (m *merger) rename(name, service, cluster string) string {
	ours := m.q.Parsed.SetKey() + ".svc." + m.q.suffix()
	before := len(name) - len(service)
	if before < 0 || !sameName(name[before:], service) {
		return name
	}
	if before == 0 {
		return ours
	}
	return name[:before] + cluster + "." + ours
}

// records returns the answer.
func (m *merger) records(f *query.Form) query.Records {
	f.TTL = min(f.TTL, m.ttl)
	if m.q.Type == dns.TypeA || m.q.Type == dns.TypeAAAA {
		if m.q.Parsed.Kind == query.Service {
			for _, p := range m.parts {
				m.addresses = append(m.addresses, p.Addresses()...)
			}
		}
		return query.AddressRecords(query.Unique(m.addresses), f)
	}
	found := m.q.Parsed.SetRecords(m.parts, f)
	found.Exists = true
	found.Answer, found.Extra = dns.Dedup(append(found.Answer, m.answer...), nil), dns.Dedup(append(found.Extra, m.extra...), nil)
	return found
}

// endpointOf answers for one endpoint, as its member's DNS says.
func (r clusterset) endpointOf(ctx context.Context, q *Question, s *service, m *members.Member) *Resolution {
	replies, err := r.askAll(ctx, q, []*members.Member{m}, r.Timeout, func(*reply) bool { return false })
	if err != nil {
		return r.exhausted(ctx, q, Forward)
	}
	of := *s
	of.unknown, of.out = nil, nil
	if !replies[0].has() {
		of.miss(&replies[0])
		res := r.none(ctx, q, &of)
		res.addParts(replies)
		return res
	}
	res := replies[0].res
	merged := merger{q: q, ttl: r.TTL}
	merged.add(m.Name, res)
	a := answer{source: res.Source, stale: res.StaleReason}
	reply := r.reply(q, s, selection.Choice{}, &a, merged.records(&query.Form{Owner: q.Name, Type: q.Type, TTL: r.TTL}))
	reply.addParts(replies)
	reply.Truncated = merged.truncated
	return reply
}
