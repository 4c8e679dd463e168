package resolver

import (
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
)

// Names that are the zones' own: the apexes, their name servers, and what stands above other
// names whatever there is. This server is the authority for them, so nobody is asked, and the
// state that a member is in makes no difference.

const (
	// schemaVersion is that of the names: kubernetes/dns, docs/specification.md; and
	// setVersion under a clusterset zone: KEP-1645, specification.md.
	schemaVersion, setVersion = "1.1.0", "1.0.0"
	// versionTTL is CoreDNS's kubernetes plugin's: eight hours, in seconds.
	versionTTL = 28800
)

// zoneAuthority answers for this server's zones themselves.
type zoneAuthority struct{ *Resolver }

// own returns the answer to a name that is a zone's own.
func (r zoneAuthority) own(q *question.Question) *question.Resolution {
	zone := r.authority(q, r.serial(q), 0)
	if q.Parsed.Kind == query.ClusterApex && q.Type == dns.TypeDS { // the parent's: RFC 4035, section 3.1.4.1
		zone.zone, zone.serial = zone.zone[len(zone.zone)-len(q.Zone.Name):], soaSerial
	}
	res := q.Begin(question.OfZone)
	res.Authoritative = true
	switch {
	case r.isUnknown(q):
		res.Rcode, res.NotFound = dns.RcodeNameError, true
	case q.IsApex():
		r.apex(res, &zone)
	case q.IsNameServer():
		res.Answer = r.addresses(q.Name, q.Type)
	case q.Parsed.Kind == query.Version && q.Type == dns.TypeTXT:
		header := zone.header(q.Name, dns.TypeTXT)
		header.Ttl = versionTTL
		version := schemaVersion
		if q.Zone.Kind == question.ClustersetZone {
			version = setVersion
		}
		res.Answer = []dns.RR{&dns.TXT{Hdr: header, Txt: []string{version}}}
	}
	if len(res.Answer) == 0 { // an empty non-terminal, or another type: RFC 8020
		res.Authority = []dns.RR{zone.soa()}
	}
	return res
}

// serial returns that of the zone's SOA: the time of the last change of a member's data.
func (r zoneAuthority) serial(q *question.Question) uint32 {
	if q.Member == nil || q.Zone.Kind == question.ReverseZone {
		return soaSerial
	}
	if view := q.Member.View(); view != nil && view.State != member.Unsynced {
		return uint32(view.Data.Changed.Unix())
	}
	return soaSerial
}

// isUnknown reports whether there is nothing of a name, nor below it.
func (r zoneAuthority) isUnknown(q *question.Question) bool {
	if q.Zone.Kind == question.ReverseZone {
		_, above := query.ReversePrefix(q.Name)
		return q.Addr.IsValid() || !above && !q.IsApex() && !q.IsNameServer() && !q.IsAboveNameServer()
	}
	return q.Parsed.Kind == query.None || q.Parsed.Kind == query.UnknownCluster
}

// isNextsApex reports whether a name is a member's apex that the plugin behind this one serves
// as it is.
func (r *Resolver) isNextsApex(q *question.Question) bool {
	return q.Parsed.Kind == query.ClusterApex && q.Member == q.Members.Local && r.isNexts(q, q.MemberName())
}

// apex answers for the zone itself.
func (r zoneAuthority) apex(res *question.Resolution, zone *authority) {
	switch res.Question.Type {
	case dns.TypeSOA:
		res.Answer = []dns.RR{zone.soa()}
	case dns.TypeNS:
		server := "ns.dns." + zone.zone
		res.Answer = []dns.RR{&dns.NS{Hdr: zone.header(zone.zone, dns.TypeNS), Ns: server}}
		res.Additional = r.addresses(server, dns.TypeANY)
	}
}

// addresses makes records of this server's addresses of the type.
func (r zoneAuthority) addresses(owner string, qtype uint16) []dns.RR {
	var rrs []dns.RR
	for _, addr := range r.Addresses() {
		rr := records.AddressRecord(owner, r.NegativeTTL, addr)
		if qtype == dns.TypeANY || qtype == rr.Header().Rrtype {
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

// nameError is NXDOMAIN for a name that can't exist.
func (r zoneAuthority) nameError(q *question.Question) *question.Resolution {
	zone := r.authority(q, r.serial(q), 0)
	res := q.Begin(question.OfZone)
	res.Authoritative = true
	res.Rcode, res.NotFound, res.Authority = dns.RcodeNameError, true, []dns.RR{zone.soa()}
	return res
}
