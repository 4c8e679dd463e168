package resolver

import (
	"cmp"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Timers of the SOA, as CoreDNS's kubernetes plugin has them, and the serial of what isn't
// answered from data. Nobody transfers the zone.
const (
	soaRefresh, soaRetry, soaExpire = 7200, 1800, 86400
	soaSerial                       = 1
)

// authority is the zone that an answer is from, as its records have it.
type authority struct {
	// zone is its name, in the question's case.
	zone   string
	serial uint32
	// minimum is negative_ttl, in seconds, and age how long a negative answer was kept.
	minimum, age uint32
}

// authority returns the zone that the answer to a question is from; a serial of 0 is that of
// what isn't answered from data.
func (r zoneAuthority) authority(q *question.Question, serial, age uint32) authority {
	return authority{zone: q.Suffix(), serial: cmp.Or(serial, soaSerial), minimum: r.NegativeTTL, age: age}
}

// ttl returns that of a negative answer: less its age in the cache, as who caches it
// in turn counts from now.
func (a *authority) ttl() uint32 { return a.minimum - min(a.age, a.minimum) }

func (a *authority) header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: a.ttl()}
}

func (a *authority) soa() dns.RR {
	return &dns.SOA{
		Hdr: a.header(a.zone, dns.TypeSOA),
		Ns:  "ns.dns." + a.zone, Mbox: "hostmaster." + a.zone,
		Serial: a.serial, Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: a.minimum,
	}
}

// soaOf returns the SOA of a negative reply: the member's, renamed, where it has one of its
// own domain. How long the answer is kept is ours to say (RFC 2308).
func (a *authority) soaOf(records []dns.RR, r *query.Renaming) dns.RR {
	for _, rr := range records {
		soa, ok := rr.(*dns.SOA)
		if ok && r.Other(soa) {
			soa.Hdr.Ttl, soa.Minttl = a.ttl(), a.minimum
			return soa
		}
	}
	return a.soa()
}

// proof returns the authority section of a negative reply: an SOA, or, where the member signs
// the names as they are asked here, all of its own.
func (a *authority) proof(records []dns.RR, r *query.Renaming) []dns.RR {
	if r.Identity() && isIn(records, dns.TypeSOA) && isIn(records, dns.TypeRRSIG) {
		return records
	}
	return []dns.RR{a.soaOf(records, r)}
}
