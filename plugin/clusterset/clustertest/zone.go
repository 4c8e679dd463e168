package clustertest

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Zone answers from records, in zone file syntax, the first of them the SOA. It
// knows names and types, and nothing of delegation or wildcards.
func Zone(t testing.TB, records string) dns.HandlerFunc {
	t.Helper()
	byName := make(map[string][]dns.RR)
	var soa dns.RR
	parser := dns.NewZoneParser(strings.NewReader(records), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if soa == nil {
			soa = rr
		}
		name := strings.ToLower(rr.Header().Name)
		byName[name] = append(byName[name], rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(r)
		m.Authoritative = true
		found, exists := byName[strings.ToLower(r.Question[0].Name)]
		if !exists {
			m.Rcode = dns.RcodeNameError
		}
		for _, rr := range found {
			if t := rr.Header().Rrtype; t == r.Question[0].Qtype || t == dns.TypeCNAME {
				m.Answer = append(m.Answer, dns.Copy(rr))
			}
		}
		if len(m.Answer) == 0 {
			m.Ns = []dns.RR{soa}
		}
		_ = w.WriteMsg(m) // the client may be gone
	}
}

// Rcode answers everything with rcode.
func Rcode(rcode int) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		_ = w.WriteMsg(m.SetRcode(r, rcode)) // the client may be gone
	}
}

// Silence answers nothing.
func Silence(dns.ResponseWriter, *dns.Msg) {}
