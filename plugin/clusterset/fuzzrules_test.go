package clusterset

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// What no reply may hold, whatever a member or a stranger said: written apart from the
// code that sees to it.

// maxFuzzTTL is the most that is given, in seconds.
const maxFuzzTTL = 3600

// checkReply looks at what is so of every reply.
func checkReply(t *testing.T, r, m *dns.Msg) {
	t.Helper()
	switch {
	case !m.Response || m.Id != r.Id || m.Opcode != r.Opcode:
		t.Fatalf("header of another's reply:\n%v", m)
	case len(m.Question) != len(r.Question) || len(r.Question) == 1 && m.Question[0] != r.Question[0]:
		t.Fatalf("question %v, want %v", m.Question, r.Question)
	case m.AuthenticatedData:
		t.Fatalf("AD:\n%v", m)
	}
	checkEDNS(t, r, m)
	first, err := m.Pack()
	if err != nil {
		t.Fatalf("can't be packed: %v\n%v", err, m)
	}
	again := new(dns.Msg)
	if err := again.Unpack(first); err != nil {
		t.Fatalf("can't be unpacked: %v\n%v", err, m)
	}
	for _, rr := range records(m) {
		if slices.Contains(namesIn(rr), "") && rr.Header().Rrtype != dns.TypeIPSECKEY && rr.Header().Rrtype != dns.TypeAMTRELAY {
			t.Fatalf("a record without a name that its type has: %v", rr)
		}
	}
	for _, rr := range records(again) {
		switch rr.(type) {
		case *dns.NULL, *dns.APL, *dns.RFC3597: // which may be empty
		default:
			if rr.Header().Rdlength == 0 {
				t.Fatalf("a record without data: %v", rr)
			}
		}
	}
	for _, rr := range records(again) { // the library doesn't write these texts as it takes them in
		switch rr := rr.(type) {
		case *dns.CAA:
			rr.Value = strings.ReplaceAll(rr.Value, `\`, `\\`)
		case *dns.URI:
			rr.Target = strings.ReplaceAll(rr.Target, `\`, `\\`)
		}
	}
	again.Compress = m.Compress
	second, err := again.Pack()
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("packed, unpacked and packed is another (%v):\n%v\n%v", err, m, again)
	}
}

// checkEDNS: options are each hop's own, and extended errors short and plain.
func checkEDNS(t *testing.T, r, m *dns.Msg) {
	t.Helper()
	o := m.IsEdns0()
	if o == nil {
		return
	}
	if r.IsEdns0() == nil {
		t.Fatalf("EDNS to who sent none:\n%v", m)
	}
	for _, option := range o.Option {
		ede, ok := option.(*dns.EDNS0_EDE)
		if !ok {
			t.Fatalf("option %v", option)
		}
		plain := !strings.ContainsFunc(ede.ExtraText, func(c rune) bool { return c < ' ' || c > '~' })
		if len(ede.ExtraText) > 100 || !plain {
			t.Fatalf("extended error %q", ede.ExtraText)
		}
	}
}

// check looks at a reply that is made of a member's.
func (p *fuzzed) check(t *testing.T, r, m *dns.Msg) {
	t.Helper()
	checkReply(t, r, m)
	signed := p.resolver.Members().Member("c1").ClusterDomain == "c1.lan."
	for _, rr := range records(m) {
		h := rr.Header()
		switch {
		case h.Class != dns.ClassINET:
			t.Fatalf("class %d: %v", h.Class, rr)
		case h.Rrtype == dns.TypeNS && !p.stranger.asked:
			t.Fatalf("a name server: %v", rr)
		case h.Ttl > maxFuzzTTL:
			t.Fatalf("TTL %d: %v", h.Ttl, rr)
		}
		if !p.stranger.asked && !signed {
			checkNames(t, rr)
		}
		p.checkAddresses(t, rr)
		if ptr, ok := rr.(*dns.PTR); ok && !dns.IsSubDomain("c1.lan.", ptr.Ptr) {
			t.Fatalf("a pointer out of the member's zone: %v", rr)
		}
	}
	p.checkOwners(t, m, signed)
}

// records are all but the OPT record, which has neither class nor TTL.
func records(m *dns.Msg) []dns.RR {
	return slices.DeleteFunc(slices.Concat(m.Answer, m.Ns, m.Extra), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
}

// checkNames: none is in the member's domain.
func checkNames(t *testing.T, rr dns.RR) {
	t.Helper()
	const domain = "cluster.local"
	if dns.IsSubDomain(domain+".", rr.Header().Name) {
		t.Fatalf("owner in the member's domain: %v", rr)
	}
	for _, name := range namesIn(rr) {
		if dns.IsSubDomain(domain+".", name) {
			t.Fatalf("name in the member's domain: %v", rr)
		}
	}
	var text string
	switch rr := rr.(type) {
	case *dns.NAPTR:
		text = rr.Regexp
	case *dns.URI:
		text = rr.Target
	case *dns.RFC3597:
		data, _ := hex.DecodeString(rr.Rdata)
		text = strings.ReplaceAll(string(data), "\x07cluster\x05local\x00", domain)
	}
	if strings.Contains(strings.ToLower(text), domain) {
		t.Fatalf("text of a name in the member's domain: %v", rr)
	}
}

// namesIn are the names in a record's data, as miekg/dns tags them.
func namesIn(rr dns.RR) []string {
	var names []string
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			switch tag := field.Tag.Get("dns"); {
			case field.Name == "Hdr":
			case field.Type.Kind() == reflect.Struct: // HTTPS is an SVCB
				walk(value)
			case strings.HasSuffix(tag, "domain-name") && field.Type.Kind() == reflect.Slice:
				names = append(names, value.Interface().([]string)...)
			case strings.HasSuffix(tag, "domain-name"), field.Name == "GatewayHost":
				names = append(names, value.String())
			}
		}
	}
	walk(reflect.ValueOf(rr).Elem())
	return names
}

// checkOwners: each is on the way from the question, or where that points to, or the
// zone's that it ends in. Where the member signs the names as they are, its proofs are
// too, and a stranger's within that zone.
func (p *fuzzed) checkOwners(t *testing.T, m *dns.Msg, signed bool) {
	t.Helper()
	last := checkWay(t, m, signed || p.stranger.asked)
	for _, rr := range m.Ns {
		h := rr.Header()
		isZone := h.Rrtype == dns.TypeSOA
		switch {
		case isZone && dns.IsSubDomain(h.Name, last):
		case !isZone && signed && dns.IsSubDomain("c1.lan.", h.Name):
		case p.stranger.asked && isProof(h.Rrtype) && slices.ContainsFunc(m.Ns, func(soa dns.RR) bool {
			return soa.Header().Rrtype == dns.TypeSOA && dns.IsSubDomain(soa.Header().Name, h.Name)
		}):
		default:
			t.Fatalf("an authority nobody asked for, of %s: %v\nof\n%v", last, rr, m)
		}
	}
	pointed := map[string]bool{}
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		pointed[canonical(rr.Header().Name)] = true // an SVCB's "."
		for _, name := range namesIn(rr) {
			pointed[canonical(name)] = true
		}
	}
	for _, rr := range m.Extra {
		if rr.Header().Rrtype != dns.TypeOPT && !pointed[canonical(rr.Header().Name)] {
			t.Fatalf("an additional record nobody asked for: %v\nof\n%v", rr, m)
		}
	}
}

func isProof(rrtype uint16) bool {
	return rrtype == dns.TypeNSEC || rrtype == dns.TypeNSEC3 || rrtype == dns.TypeRRSIG
}

// checkWay: answers are of the names that CNAMEs lead to, and of the type asked for. It
// gives the last name.
func checkWay(t *testing.T, m *dns.Msg, signed bool) (last string) {
	t.Helper()
	qtype := m.Question[0].Qtype
	last = canonical(m.Question[0].Name)
	way := map[string]bool{last: true}
	for _, rr := range m.Answer {
		h := rr.Header()
		_, isDNAME := rr.(*dns.DNAME)
		cname, isCNAME := rr.(*dns.CNAME)
		switch {
		case !way[canonical(h.Name)] && (!signed || !isDNAME || !dns.IsSubDomain(h.Name, last)):
			t.Fatalf("an answer nobody asked for: %v\nof\n%v", rr, m)
		case qtype == dns.TypeANY, h.Rrtype == qtype, isCNAME, signed && (isDNAME || h.Rrtype == dns.TypeRRSIG):
		default:
			t.Fatalf("an answer of another type: %v\nof\n%v", rr, m)
		}
		if isCNAME {
			last = canonical(cname.Target)
			way[last] = true
		}
	}
	return last
}

func canonical(name string) string { return strings.ToLower(name) }

// checkAddresses: none that no service has, or another member's, wherever it stands.
func (p *fuzzed) checkAddresses(t *testing.T, rr dns.RR) {
	t.Helper()
	switch rr := rr.(type) {
	case *dns.A:
		p.checkAddress(t, rr, rr.A)
	case *dns.AAAA:
		p.checkAddress(t, rr, rr.AAAA)
	case *dns.SVCB:
		checkHints(t, rr, rr.Value)
	case *dns.HTTPS:
		checkHints(t, rr, rr.Value)
	case *dns.L32, *dns.L64, *dns.APL, *dns.IPSECKEY, *dns.AMTRELAY:
		t.Fatalf("an address that nobody looks at: %v", rr)
	}
}

// checkHints: nor is a key left out that the record calls mandatory (RFC 9460, section
// 8).
func checkHints(t *testing.T, rr dns.RR, values []dns.SVCBKeyValue) {
	t.Helper()
	var keys []dns.SVCBKey
	for _, v := range values {
		keys = append(keys, v.Key())
	}
	for _, v := range values {
		if m, ok := v.(*dns.SVCBMandatory); ok && slices.ContainsFunc(m.Code, func(key dns.SVCBKey) bool { return !slices.Contains(keys, key) }) {
			t.Fatalf("a mandatory key is missing: %v", rr)
		}
		if v.Key() == dns.SVCB_IPV4HINT || v.Key() == dns.SVCB_IPV6HINT {
			t.Fatalf("an address that nobody looks at: %v", rr)
		}
	}
}

var (
	never = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "::/128", "::1/128", "fe80::/10", "ff00::/8")
	// reserved aren't in any member's CIDRs here.
	reserved = prefixes("240.0.0.0/4", "192.0.0.0/24", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::254/128", "fd00:42::42/128", "fd00:a9fe:a9fe::1/128")
	others   = prefixes("10.102.0.0/16", "fd00:102::/64", "203.0.113.2/32", "2001:db8::2/128")
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func (p *fuzzed) checkAddress(t *testing.T, rr dns.RR, ip []byte) {
	t.Helper()
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		t.Fatalf("no address: %v", rr)
	}
	for _, addr := range append(carried(addr.Unmap()), addr.Unmap()) {
		in := func(p netip.Prefix) bool { return p.Contains(addr) }
		switch {
		case slices.ContainsFunc(never, in), slices.ContainsFunc(reserved, in):
			t.Fatalf("an address that no service has: %v", rr)
		case slices.ContainsFunc(others, in) && !p.stranger.asked:
			t.Fatalf("another member's address: %v", rr)
		}
	}
}

// carried are the IPv4 addresses in an IPv6 one: compatible, translated (RFC 2765,
// RFC 6052, RFC 8215), 6to4 (RFC 3056) and Teredo's server and client (RFC 4380).
func carried(addr netip.Addr) []netip.Addr {
	if addr.Is4() {
		return nil
	}
	b := addr.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	in := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(addr) }
	switch {
	case in("::/96") && addr != netip.IPv6Unspecified() && addr != netip.IPv6Loopback():
		return []netip.Addr{at(12)}
	case in("::ffff:0:0:0/96"), in("64:ff9b::/96"):
		return []netip.Addr{at(12)}
	case in("64:ff9b:1::/48"): // of that length, or of 96: what begins with zeros is the other's
		forms := []netip.Addr{at(12), netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})}
		return slices.DeleteFunc(forms, netip.MustParsePrefix("0.0.0.0/8").Contains)
	case in("2002::/16"):
		return []netip.Addr{at(2)}
	case in("2001::/32"):
		return []netip.Addr{at(4), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	}
	return nil
}
