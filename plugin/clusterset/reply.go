package clusterset

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// schemaVersion is that of the names: kubernetes/dns, docs/specification.md.
const schemaVersion = "1.1.0"

// versionTTL is CoreDNS's kubernetes plugin's: eight hours, in seconds.
const versionTTL = 28800

// Timers of the SOA, as CoreDNS's kubernetes plugin has them, and the serial of
// what isn't answered from data. Nobody transfers the zone.
const (
	soaRefresh, soaRetry, soaExpire = 7200, 1800, 86400
	soaSerial                       = 1
)

// write has m sent when the query is done with. What was written is told apart from
// what CoreDNS must still write by the code, as everywhere in CoreDNS.
func (q *ask) write(m *dns.Msg, from sourceName) (int, error) {
	if from == fromStale && m.Rcode == dns.RcodeSuccess && m.IsEdns0() == nil {
		q.explain(m, dns.ExtendedErrorCodeStaleAnswer, brief(q.wrong))
	}
	q.count(from, m.Rcode)
	q.label(ctxSource, from.String())
	q.done = m
	return dns.RcodeSuccess, nil
}

func (q *ask) count(from sourceName, rcode int) {
	if q.member != nil {
		q.member.metrics.count(from, rcode)
	}
}

// notReady replies to all that nobody can answer before there is a ClusterSet.
func (q *ask) notReady() (int, error) {
	return q.failFrom(fromZone, dns.ExtendedErrorCodeNotReady, errNotReady)
}

// failFrom replies SERVFAIL with what went wrong, for the client (RFC 8914) and for
// the errors plugin.
func (q *ask) failFrom(from sourceName, code uint16, err error) (int, error) {
	if q.abandoned() {
		return q.abandon(from, err)
	}
	m := new(dns.Msg)
	m.SetRcode(q.state.Req, dns.RcodeServerFailure)
	q.explain(m, code, brief(err))
	status, _ := q.write(m, from) // which can't fail
	return status, err
}

// refuse has CoreDNS reply REFUSED, for err: nobody is asked.
func (q *ask) refuse(err error) (int, error) {
	q.count(fromZone, dns.RcodeRefused)
	q.label(ctxSource, fromZone.String())
	return dns.RcodeRefused, err
}

// explain adds an extended error, for a client that sent EDNS: RFC 8914.
func (q *ask) explain(m *dns.Msg, code uint16, text string) {
	theirs := q.state.Req.IsEdns0()
	if theirs == nil || code == noExplanation {
		return
	}
	m.SetEdns0(theirs.UDPSize(), theirs.Do())
	o := m.IsEdns0()
	o.Option = append(o.Option, &dns.EDNS0_EDE{InfoCode: code, ExtraText: text[:min(len(text), maxExplanation)]})
	q.fit(m)
}

// noExplanation is no extended error at all.
const noExplanation = dns.ExtendedErrorCodeOther

// nameError replies NXDOMAIN, or falls through.
func (q *ask) nameError() (int, error) {
	return q.notFound(nil, "", fromZone)
}

func (q *ask) notFound(reply *dns.Msg, asked string, from sourceName) (int, error) {
	if q.p.options.fall.Through(q.state.Name()) {
		return q.next()
	}
	m := new(dns.Msg)
	m.SetRcode(q.state.Req, dns.RcodeNameError)
	m.Authoritative = true
	if reply == nil {
		m.Ns = []dns.RR{q.soa()}
	} else {
		m.Authoritative, m.RecursionAvailable = reply.Authoritative, reply.RecursionAvailable
		m.Ns = q.proof(reply.Ns, new(q.renaming(asked)))
	}
	return q.write(m, from)
}

// empty replies to what the member has no records for.
func (q *ask) empty(m *dns.Msg, authority []dns.RR, r *query.Renaming, from sourceName) (int, error) {
	if m.Rcode != dns.RcodeSuccess {
		return q.write(m, from)
	}
	m.Ns, m.Extra = q.proof(authority, r), nil
	return q.write(m, from)
}

func (q *ask) noData(m *dns.Msg, from sourceName, code uint16, text string) (int, error) {
	m.Answer, m.Ns, m.Extra = nil, []dns.RR{q.soa()}, nil
	q.explain(m, code, text)
	return q.write(m, from)
}

// proof is the authority section of a negative reply: an SOA, or, where the
// member signs the names as they are asked here, all of its own.
func (q *ask) proof(authority []dns.RR, r *query.Renaming) []dns.RR {
	has := func(rrtype uint16) bool {
		return slices.ContainsFunc(authority, func(rr dns.RR) bool { return rr.Header().Rrtype == rrtype })
	}
	if r.Identity() && has(dns.TypeSOA) && has(dns.TypeRRSIG) {
		return authority
	}
	return []dns.RR{q.soaOf(authority, r)}
}

// soaOf is the SOA of a negative reply: the member's, renamed, where it has one
// of its own domain. How long the answer is kept is ours to say (RFC 2308).
func (q *ask) soaOf(authority []dns.RR, r *query.Renaming) dns.RR {
	for _, rr := range authority {
		soa, ok := rr.(*dns.SOA)
		if ok && r.Other(soa) {
			soa.Hdr.Ttl, soa.Minttl = q.negativeTTL(), q.p.options.negativeTTL
			return soa
		}
	}
	return q.soa()
}

// negativeTTL is what is left of it, where the reply was kept for a while: who keeps
// it in turn counts from now.
func (q *ask) negativeTTL() uint32 {
	ttl := q.p.options.negativeTTL
	return ttl - min(q.age, ttl)
}

func (q *ask) soa() dns.RR {
	ttl := q.p.options.negativeTTL
	return &dns.SOA{
		Hdr: q.header(q.suffix, dns.TypeSOA),
		Ns:  "ns.dns." + q.suffix, Mbox: "hostmaster." + q.suffix,
		Serial: q.serial, Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: ttl,
	}
}

func (q *ask) header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: q.negativeTTL()}
}

// ours is a reply of our own, which has nothing in it yet; it and its question are
// one piece of memory.
func (q *ask) ours() *dns.Msg {
	r := q.state.Req
	m := &struct {
		dns.Msg
		question [1]dns.Question
	}{question: [1]dns.Question{r.Question[0]}}
	m.MsgHdr = dns.MsgHdr{Id: r.Id, Response: true, Opcode: r.Opcode, Authoritative: true, RecursionDesired: r.RecursionDesired, CheckingDisabled: r.CheckingDisabled}
	m.Question = m.question[:]
	return &m.Msg
}
