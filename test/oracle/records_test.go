//go:build e2e

package oracle

import (
	"net"
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// ttl is what both give by default.
const ttl = 5

func isAddress(rr dns.RR) bool {
	return rr.Header().Rrtype == dns.TypeA || rr.Header().Rrtype == dns.TypeAAAA
}

func isNameError(m *dns.Msg) bool { return m.Rcode == dns.RcodeNameError }

func isNoData(m *dns.Msg) bool { return m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 }

func isEDNS(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT }

func edns(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool { return !isEDNS(rr) })
}

func withoutEDNS(rrs []dns.RR) []dns.RR { return slices.DeleteFunc(slices.Clone(rrs), isEDNS) }

// within tells whether all of some are among all.
func within(some, all []dns.RR) bool {
	lines := recordLines(all)
	return !slices.ContainsFunc(recordLines(some), func(line string) bool { return !slices.Contains(lines, line) })
}

func header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// addressRecord gives a name the server's own address.
func addressRecord(owner string, s *server) dns.RR {
	return &dns.A{Hdr: header(owner, dns.TypeA), A: net.IP(netip.MustParseAddrPort(s.addr).Addr().AsSlice())}
}
