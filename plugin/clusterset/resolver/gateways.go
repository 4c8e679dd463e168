package resolver

import (
	"net/netip"

	"github.com/miekg/dns"
)

// gateways adds the member's gateways in the place of the addresses of rr's owner, once for
// each owner.
func (f *filter) gateways(kept []dns.RR, rr dns.RR) []dns.RR {
	h := rr.Header()
	for _, k := range kept {
		if k.Header().Name == h.Name && k.Header().Rrtype == h.Rrtype {
			return kept
		}
	}
	before := len(kept)
	for _, gateway := range f.q.Member.Gateways {
		if gateway.Is4() == (h.Rrtype == dns.TypeA) {
			kept = append(kept, addressRecord(h.Name, h.Ttl, gateway))
		}
	}
	if len(kept) == before && h.Rrtype == f.q.Type {
		f.excluded[NoGateway]++
	}
	return kept
}

func addressRecord(owner string, ttl uint32, addr netip.Addr) dns.RR {
	if addr.Is4() {
		return &dns.A{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: ttl}, AAAA: addr.AsSlice()}
}
