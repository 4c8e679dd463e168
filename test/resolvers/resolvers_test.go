//go:build e2e && linux

package resolvers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// nameCase is a question and the reply that any resolver gives.
type nameCase struct {
	name  string
	qtype uint16
	want  string
}

// cases are every form of name, of members that are forwarded to, one of them of two
// labels, and of one that is answered for from its data.
func cases() (all []nameCase) {
	add := func(name string, qtype uint16, want string) { all = append(all, nameCase{name, qtype, want}) }
	for _, zone := range []string{"lan.", "c1.lan.", "c1.eu.lan.", "k1.lan.", "k2.lan.", "dead.lan.", "10.in-addr.arpa.", "d.f.ip6.arpa."} {
		// In this order: BIND 9.18 has SERVFAIL, for a second, for who asks it for a name
		// server's address between "c1.lan NS" and any other name of c1.lan. It looks for
		// servers' addresses in what came beside a referral, and not beside an answer, asks
		// for that one as well, and takes the two for a loop. One server for both zones
		// gives no referral.
		add("dns."+zone, dns.TypeA, "NOERROR")
		add(zone, dns.TypeA, "NOERROR")
		add("ns.dns."+zone, dns.TypeA, "NOERROR "+ours4)
		add("ns.dns."+zone, dns.TypeAAAA, "NOERROR "+ours6)
		add(zone, dns.TypeNS, "NOERROR ns.dns."+zone)
		add(zone, dns.TypeMX, "NOERROR")
	}
	add("eu.lan.", dns.TypeA, "NOERROR")
	for i, member := range []string{"c1", "c1.eu", "k1", "k2"} {
		octet := []int{101, 201, 103, 104}[i]
		net := fmt.Sprintf("10.%d.", octet)
		for _, schema := range []string{"", "svc."} {
			at := schema + member + ".lan."
			add("web.default."+at, dns.TypeA, "NOERROR "+net+"1.1")
			add("web.default."+at, dns.TypeSRV, "NOERROR 0 100 80 web.default.svc."+member+".lan.")
			add("web.default."+at, dns.TypeMX, "NOERROR")
			add("db.default."+at, dns.TypeA, "NOERROR "+net+"2.1")
			add("db-0.db.default."+at, dns.TypeA, "NOERROR "+net+"2.1")
			add("_pg._tcp.db.default."+at, dns.TypeSRV, "NOERROR 0 100 5432 db-0.db.default.svc."+member+".lan.")
			add("_http._tcp.web.default."+at, dns.TypeSRV, "NOERROR 0 100 80 web.default.svc."+member+".lan.")
			add("out.default."+at, dns.TypeA, "NOERROR 192.0.2.80 www.example.")
			add("nope.default."+at, dns.TypeA, "NXDOMAIN")
			add("nope.web.default."+at, dns.TypeA, "NXDOMAIN")
			add("_nope._tcp.web.default."+at, dns.TypeSRV, "NXDOMAIN")
			add("default."+at, dns.TypeA, "NOERROR")
			add("_tcp.web.default."+at, dns.TypeA, "NOERROR")
		}
		add("dns-version."+member+".lan.", dns.TypeTXT, `NOERROR "1.1.0"`)
		add(fmt.Sprintf("1.1.%d.10.in-addr.arpa.", octet), dns.TypePTR, "NOERROR web.default.svc."+member+".lan.")
	}
	add("web.default.c1.lan.", dns.TypeAAAA, "NOERROR fd00:101::80")
	add("0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.1.0.0.0.d.f.ip6.arpa.", dns.TypePTR, "NOERROR web.default.svc.c1.lan.")
	add("near.default.c1.lan.", dns.TypeA, "NOERROR 10.101.1.1 web.default.svc.c1.lan.")
	add("10-101-2-7.default.pod.c1.lan.", dns.TypeA, "NOERROR 10.101.2.7")
	add("10-201-2-7.default.pod.c1.eu.lan.", dns.TypeA, "NOERROR 10.201.2.7")
	add("10-104-2-7.default.pod.k2.lan.", dns.TypeA, "NOERROR 10.104.2.7")
	add("9.9.101.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN")
	add("web.default.nope.lan.", dns.TypeA, "NXDOMAIN")
	return all
}

// all asks for each name, and again the other way round, when the zones' name servers,
// and what stands above other names, are in the resolver's cache. Names that lead out
// are left out where the resolver validates: the root here isn't what it takes for it.
func (r *resolver) all(validates bool) {
	r.t.Helper()
	list := slices.DeleteFunc(cases(), func(c nameCase) bool { return validates && strings.HasPrefix(c.name, "out.") })
	for range 2 {
		for _, c := range list {
			r.want(c)
		}
		slices.Reverse(list)
	}
}

// Options of the resolvers that iterate: where the root isn't signed nothing is, and
// their own empty zones are in the way.
const (
	bindIterates    = "dnssec-validation no;\nempty-zones-enable no;\nqname-minimization %s;"
	unboundIterates = `server:
    module-config: iterator
    use-caps-for-id: yes
    local-zone: 10.in-addr.arpa. nodefault
    local-zone: d.f.ip6.arpa. nodefault
    %s
`
	// rootKey is IANA's, with which Unbound validates; BIND knows it.
	rootKey = `server:
    trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
`
)

// minimisations are the ways of minimising names: RFC 9156.
var minimisations = []struct{ name, unbound string }{
	{"off", "qname-minimisation: no"},
	{"relaxed", "qname-minimisation: yes"},
	{"strict", "qname-minimisation: yes\n    qname-minimisation-strict: yes\n    harden-referral-path: yes"},
}

func TestResolvers(t *testing.T) {
	loopbackOnly(t)
	startServers(t)
	for _, f := range families {
		for _, m := range minimisations {
			t.Run("BIND/"+f.name+"/"+m.name, func(t *testing.T) {
				bind(t, f, fmt.Sprintf(bindIterates, m.name), "").all(false)
			})
			t.Run("Unbound/"+f.name+"/"+m.name, func(t *testing.T) {
				unbound(t, f, fmt.Sprintf(unboundIterates, m.unbound)).all(false)
			})
		}
	}
	t.Run("Unbound/TCP", func(t *testing.T) {
		unbound(t, families[0], fmt.Sprintf(unboundIterates, "tcp-upstream: yes")).all(false)
	})
	// The man page's lines, where DNSSEC is validated.
	t.Run("BIND/static-stub", func(t *testing.T) {
		options, zones, _ := strings.Cut(section(t, "named.conf"), "\n};\n")
		bind(t, families[0], "dnssec-validation auto;"+strings.TrimPrefix(options, "options {"), zones).all(true)
	})
	t.Run("Unbound/stub-zone", func(t *testing.T) {
		unbound(t, families[0], rootKey+section(t, "unbound.conf")).all(true)
	})
}
