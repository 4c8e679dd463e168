package resolver

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// merged answers with what the chosen members have, or as many of them as the client takes in
// one message.
func (r clusterset) merged(ctx context.Context, q *question.Question, g *gathering, choice selection.Choice) *question.Resolution {
	if len(choice.Members()) == 0 {
		return r.none(ctx, q, g.Service)
	}
	if first := choice.Members()[0]; len(choice.Members()) == 1 && g.asked[first] == nil {
		return r.fromData(ctx, q, g.Service, choice, g.Addresses[first])
	}
	if asksHostnames(q, g.Service) {
		r.lookUpChosen(ctx, q, g, choice)
	}
	a, form := g.form(q, r.TTL, choice)
	records := func(members []int) query.Records { return g.records(q, members, &form) }
	found := records(choice.Members())
	if len(choice.Members()) > 1 && !takes(q, &found) {
		choice, found = fitting(q, g.Service, choice, records)
	}
	res := r.reply(ctx, q, g.Service, choice, &a, found)
	for _, i := range choice.Members() {
		res.Truncated = res.Truncated || g.asked[i] != nil && g.asked[i].truncated
	}
	return res
}

// form returns how the answer is written: that of data, or of DNS, with the least of the TTLs.
func (g *gathering) form(q *question.Question, ttl uint32, choice selection.Choice) (answer, query.Form) {
	a, form := answer{source: question.Data, serial: g.Serial}, query.Form{Owner: q.Name, Type: q.Type, TTL: ttl}
	for _, i := range choice.Members() {
		of := g.asked[i]
		if of != nil {
			a.source, form.TTL = of.source, min(form.TTL, of.ttl)
		}
		if g.Candidates[i].Stale { // as all are, where one is
			a.source, a.stale, form.TTL = question.Stale, errStaleMembers, min(form.TTL, maxStaleTTL)
		}
	}
	return a, form
}

// lookUpChosen looks up the names of load balancers that members chosen answer with. One that
// can't be looked up soon is left out.
func (r clusterset) lookUpChosen(ctx context.Context, q *question.Question, g *gathering, choice selection.Choice) {
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	for _, i := range choice.Members() {
		if p := g.Parts[i]; p != nil && len(p.Hostnames) > 0 {
			found, ttl, _ := r.lookUpHosts(ctx, q, g.Parts[i:i+1], true)
			g.asked[i] = &dnsAnswer{addresses: slices.Concat(p.Addresses(), found), ttl: ttl, source: question.Data}
		}
	}
}

// records returns those of members, by data and by DNS.
func (g *gathering) records(q *question.Question, members []int, f *query.Form) query.Records {
	var parts []*query.Part
	var addresses []netip.Addr
	var answer, extra []dns.RR
	for _, i := range members {
		if of := g.asked[i]; of != nil {
			addresses, answer, extra = append(addresses, of.addresses...), append(answer, of.answer...), append(extra, of.extra...)
		} else {
			parts = append(parts, g.Parts[i])
		}
	}
	found := q.Parsed.SetRecords(parts, f)
	if len(parts) == len(members) {
		return found
	}
	found.Exists = true
	answer = append(answer, query.AddressRecords(query.Unique(addresses), f).Answer...)
	found.Answer, found.Extra = dns.Dedup(append(found.Answer, answer...), nil), dns.Dedup(append(found.Extra, extra...), nil)
	return found
}

// dnsAnswer is what a member's DNS said, under our names.
type dnsAnswer struct {
	addresses     []netip.Addr
	answer, extra []dns.RR // SRV records, and their addresses
	ttl           uint32   // of the addresses
	source        question.Source
	truncated     bool
}

// newDNSAnswer returns what a member said. TTLs are ttl at the most: for so long a client has the
// same members.
func newDNSAnswer(q *question.Question, a *reply, ttl uint32) *dnsAnswer {
	of := &dnsAnswer{ttl: ttl, source: a.res.Source, truncated: a.res.Truncated}
	service := a.res.Question.Name
	if a.res.Question.Parsed.Kind != query.Service { // _http._tcp.web.shop.svc.
		service = service[strings.LastIndex(strings.ToLower(service), "."+q.Parsed.SetKey()+".")+1:]
	}
	for _, rr := range a.res.Answer {
		h := rr.Header()
		if h.Rrtype != q.Type {
			continue
		}
		h.Ttl = min(h.Ttl, ttl)
		addr, isAddress := records.Address(rr)
		srv, isSRV := rr.(*dns.SRV)
		switch {
		case isAddress:
			of.ttl, of.addresses = min(of.ttl, h.Ttl), append(of.addresses, addr)
		case isSRV:
			h.Name = q.Name
			if srv.Target = setName(q, srv.Target, service, a.member.Name); srv.Target != "" {
				of.answer = append(of.answer, srv)
			}
		}
	}
	for _, rr := range a.res.Additional {
		h := rr.Header()
		_, isAddress := records.Address(rr)
		if h.Name = setName(q, h.Name, service, a.member.Name); isAddress && h.Name != "" {
			h.Ttl = min(h.Ttl, ttl)
			of.extra = append(of.extra, rr)
		}
	}
	return of
}

// setName returns the name over the ClusterSet of a member's service, or of an endpoint of it;
// "" for other names of the member, which have none.
func setName(q *question.Question, name, service, cluster string) string {
	ours := q.Parsed.SetKey() + ".svc." + q.Suffix()
	switch before := len(name) - len(service); {
	case before < 0 || !question.SameName(name[before:], service):
		return ""
	case before == 0:
		return ours
	default:
		return name[:before] + cluster + "." + ours
	}
}
