package query

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// unpacked is a reply as it comes off the wire, where a record's data may have no bytes.
func unpacked(t *testing.T, m *dns.Msg) *dns.Msg {
	t.Helper()
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	to := new(dns.Msg)
	if err := to.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	return to
}

// half is a record whose data end early.
func half(rrtype uint16, data string) dns.RR {
	return &dns.RFC3597{Hdr: dns.RR_Header{Name: "web.default.svc.cluster.local.", Rrtype: rrtype, Class: dns.ClassINET, Ttl: 5}, Rdata: data}
}

// TestClean: what no answer may hold is taken out of each section.
func TestClean(t *testing.T) {
	const web = "web.default.svc.cluster.local. "
	empty := func(rrtype uint16) dns.RR { // as in an update: RFC 2136, section 2.4
		return &dns.ANY{Hdr: dns.RR_Header{Name: "web.default.svc.cluster.local.", Rrtype: rrtype, Class: dns.ClassINET, Ttl: 5}}
	}
	tests := []struct {
		name  string
		given dns.RR
		want  string // "" where it is taken out
	}{
		{"plain", rr(t, web+"5 IN A 10.0.0.1"), web + "5 IN A 10.0.0.1"},
		{"class CH", rr(t, web+"5 CH A 10.0.0.1"), ""},
		{"class NONE", ofClass(rr(t, web+"5 IN A 10.0.0.1"), dns.ClassNONE), ""},
		{"class ANY", ofClass(rr(t, web+`5 IN TXT "a"`), dns.ClassANY), ""},
		{"a class of no name", ofClass(rr(t, web+`5 IN TXT "a"`), 4711), ""},
		{"TTL at most", rr(t, web+"3600 IN A 10.0.0.1"), web + "3600 IN A 10.0.0.1"},
		{"TTL too long", rr(t, web+"3601 IN A 10.0.0.1"), web + "3600 IN A 10.0.0.1"},
		{"TTL of 31 bits", rr(t, web+"2147483647 IN A 10.0.0.1"), web + "3600 IN A 10.0.0.1"},
		{"TTL with the top bit", rr(t, web+"2147483648 IN A 10.0.0.1"), web + "0 IN A 10.0.0.1"},
		{"TTL of all bits", rr(t, web+"4294967295 IN A 10.0.0.1"), web + "0 IN A 10.0.0.1"},
		{"A of no bytes", empty(dns.TypeA), ""},
		{"AAAA of no bytes", empty(dns.TypeAAAA), ""},
		{"CNAME of no bytes", empty(dns.TypeCNAME), ""},
		{"SRV of no bytes", empty(dns.TypeSRV), ""},
		{"TXT of no bytes", empty(dns.TypeTXT), ""},
		{"PTR of no bytes", empty(dns.TypePTR), ""},
		{"SOA of no bytes", empty(dns.TypeSOA), ""},
		{"HTTPS of no bytes", empty(dns.TypeHTTPS), ""},
		{"NAPTR of no bytes", empty(dns.TypeNAPTR), ""},
		{"half an SRV", half(dns.TypeSRV, "0001"), ""},
		{"SRV without its target", half(dns.TypeSRV, "000100020003"), ""},
		{"half an MX", half(dns.TypeMX, "0001"), ""},
		{"SOA of one name", half(dns.TypeSOA, "00"), ""},
		{"SOA without numbers", half(dns.TypeSOA, "0000"), ""},
		{"SOA without its last number", half(dns.TypeSOA, "0000"+"00000001000000020000000300000004"), ""},
		{"half a NAPTR", half(dns.TypeNAPTR, "000100010155"), ""},
		{"RP of one name", half(dns.TypeRP, "016100"), ""},
		{"half an RRSIG", half(dns.TypeRRSIG, "00010502"), ""},
		{"RRSIG without a signature", half(dns.TypeRRSIG, "00010502"+"000000050000000500000005"+"0001"+"00"), ""},
		{"half an HTTPS", half(dns.TypeHTTPS, "0001"), ""},
		{"half a CAA", half(dns.TypeCAA, "00"), ""},
		{"half a DS", half(dns.TypeDS, "0001"), ""},
		{"half a LOC", half(dns.TypeLOC, "0000"), ""},
		{"half a HIP", half(dns.TypeHIP, "0102"), ""},
		{"CAA", rr(t, web+`5 IN CAA 0 issue "ca.example"`), web + `5 IN CAA 0 issue "ca.example"`},
		{"CAA with a backslash", rr(t, web+`5 IN CAA 0 issue "a\\0"`), web + `5 IN CAA 0 issue "a\\0"`},
		{"URI with a backslash", rr(t, web+`5 IN URI 0 0 "a\\0"`), web + `5 IN URI 0 0 "a\\0"`},
		{"DS", rr(t, web+"5 IN DS 1 8 2 00"), web + "5 IN DS 1 8 2 00"},
		{"TLSA", rr(t, web+"5 IN TLSA 3 1 1 00"), web + "5 IN TLSA 3 1 1 00"},
		{"HINFO", rr(t, web+`5 IN HINFO "a" "b"`), web + `5 IN HINFO "a" "b"`},
		{"LOC", rr(t, web+"5 IN LOC 51 30 12.748 N 0 7 39.611 W 0m 0m 0m 0m"), rr(t, web+"5 IN LOC 51 30 12.748 N 0 7 39.611 W 0m 0m 0m 0m").String()},
		{"IPSECKEY without a gateway", rr(t, web+"5 IN IPSECKEY 10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="), web + "5 IN IPSECKEY 10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
		{"TSIG", empty(dns.TypeTSIG), ""},
		{"TKEY", empty(dns.TypeTKEY), ""},
		{"a question's type", empty(dns.TypeANY), ""},
		{"an unknown type", rr(t, web+`5 IN TYPE65280 \# 1 00`), web + `5 IN TYPE65280 \# 1 00`},
		{"all mandatory", rr(t, web+`5 IN HTTPS 1 . mandatory=alpn alpn=h2`), web + `5 IN HTTPS 1 . mandatory=alpn alpn=h2`},
		{"a mandatory key left out", mandatory(dns.TypeHTTPS, "00010004"+"0003"), ""},
		{"the same of SVCB", mandatory(dns.TypeSVCB, "00010004"+"0003"), ""},
		{"mandatory is mandatory", mandatory(dns.TypeHTTPS, "00010000"), ""},
		{"nothing is mandatory", mandatory(dns.TypeHTTPS, ""), ""},
	}
	for _, tt := range tests {
		for section := range 3 {
			m := new(dns.Msg)
			m.SetQuestion("web.default.svc.cluster.local.", dns.TypeA)
			m.Response, m.AuthenticatedData = true, true
			sections := [...]*[]dns.RR{&m.Answer, &m.Ns, &m.Extra}
			*sections[section] = []dns.RR{tt.given}
			m = unpacked(t, m)
			Clean(m)
			sections = [...]*[]dns.RR{&m.Answer, &m.Ns, &m.Extra}
			got := ""
			for _, rr := range *sections[section] {
				got += rr.String()
			}
			want := tt.want
			if want != "" {
				want = rr(t, want).String()
			}
			if got != want || m.AuthenticatedData {
				t.Errorf("%s, section %d: %q, want %q", tt.name, section, got, want)
			}
		}
	}
}

func ofClass(rr dns.RR, class uint16) dns.RR {
	rr.Header().Class = class
	return rr
}

// mandatory is a record with those mandatory keys, in hexadecimal, and port 80.
func mandatory(rrtype uint16, keys string) dns.RR {
	n := hex.EncodeToString([]byte{0, byte(len(keys) / 2)})
	return &dns.RFC3597{
		Hdr:   dns.RR_Header{Name: "web.default.svc.cluster.local.", Rrtype: rrtype, Class: dns.ClassINET, Ttl: 5},
		Rdata: "0001" + "00" + "0000" + n + keys + "0003" + "0002" + "0050",
	}
}

// TestWithoutHints: no address is left, and no key is called mandatory that is gone.
func TestWithoutHints(t *testing.T) {
	for given, want := range map[string]string{
		`x. 5 IN HTTPS 1 . alpn=h2 ipv4hint=127.0.0.1 ipv6hint=::1`:                                  `x. 5 IN HTTPS 1 . alpn=h2`,
		`x. 5 IN SVCB 1 . mandatory=ipv4hint ipv4hint=127.0.0.1`:                                     `x. 5 IN SVCB 1 .`,
		`x. 5 IN HTTPS 1 . mandatory=alpn,ipv4hint,ipv6hint alpn=h2 ipv4hint=127.0.0.1 ipv6hint=::1`: `x. 5 IN HTTPS 1 . mandatory=alpn alpn=h2`,
		`x. 5 IN A 10.0.0.1`: `x. 5 IN A 10.0.0.1`,
	} {
		record := rr(t, given)
		WithoutHints(record)
		if got := record.String(); strings.Join(strings.Fields(strings.ReplaceAll(got, `"`, "")), " ") != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
