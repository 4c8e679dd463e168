//go:build e2e

package oracle

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// TestSetExceptionsAreNarrow: of names over the whole ClusterSet, each exception lets one
// reply of ours pass, and no other.
func TestSetExceptionsAreNarrow(t *testing.T) {
	c := newComparison(t, imports, silent, silent)
	c.objects.imports = []mcs.ServiceImport{
		*serviceImport("alpha", "bare", setIPs("10.102.0.7", "fd00:102::7")), *serviceImport("alpha", "web", web, setIPs("10.102.0.1")),
		*serviceImport("alpha", "db", headlessImport, web),
	}
	c.objects.slices = []discovery.EndpointSlice{
		*importedSlice("alpha", "db-1", "db", "c1.eu", ipv4, ports("http/TCP/80", "half/TCP/"), hosted("db-0", "10.51.0.1"), notReady("db-1", "10.51.0.2")),
		*importedSlice("alpha", "db-2", "db", "c1.us", ipv4, web, hosted("db-0", "10.51.0.3")),
		*importedSlice("alpha", "web-1", "web", "c1.us", ipv4, web, hosted("db-0", "10.51.0.3")),
	}
	const host = "db-0.c1.eu.db.alpha.svc."
	for _, tt := range []struct {
		prefix       string
		qtype        uint16
		theirs, ours said
		equal        bool
	}{
		{"dns-version.", dns.TypeTXT, said{data: `"1.1.0"`}, said{data: `"1.0.0"`}, true},
		{"dns-version.", dns.TypeTXT, said{data: `"1.1.0"`}, said{data: `"1.0.1"`}, false},
		{"pod.", dns.TypeA, noData, denied, true},
		{"svc.", dns.TypeA, noData, denied, false},
		{"missing.svc.", dns.TypeA, denied, noData, true},
		{"missing.alpha.svc.", dns.TypeA, denied, noData, false},
		{"missing.svc.svc.", dns.TypeA, denied, noData, false},
		{"bare.alpha.svc.", dns.TypeA, denied, said{data: "10.102.0.7"}, true},
		{"bare.alpha.svc.", dns.TypeAAAA, denied, said{data: "fd00:102::7"}, true},
		{"bare.alpha.svc.", dns.TypeA, denied, said{data: "10.102.0.8"}, false},
		{"bare.alpha.svc.", dns.TypeA, denied, noData, false},
		{"_tcp.bare.alpha.svc.", dns.TypeA, denied, noData, true},
		{"_http._tcp.bare.alpha.svc.", dns.TypeA, denied, noData, false},
		{"web.alpha.svc.", dns.TypeA, denied, said{data: "10.102.0.1"}, false},
		{"web.alpha.svc.", dns.TypeA, said{data: "10.102.0.1"}, denied, false},
		{"web-0.c1.web.alpha.svc.", dns.TypeA, said{data: "10.51.0.9"}, denied, true},
		{"web-0.c1.db.alpha.svc.", dns.TypeA, said{data: "10.51.0.9"}, denied, false},
		{"_http._tcp.web.alpha.svc.", dns.TypeA, said{data: "10.102.0.1"}, denied, false},
		{host, dns.TypeA, denied, said{data: "10.51.0.1"}, true},
		{host, dns.TypeA, denied, said{data: "10.51.0.3"}, false},
		{host, dns.TypeAAAA, denied, noData, true},
		{host, dns.TypeSRV, denied, said{data: "0 50 80 " + host + "clusterset.local.", extra: "10.51.0.1"}, true},
		{host, dns.TypeSRV, denied, said{data: "0 100 80 " + host + "clusterset.local.", extra: "10.51.0.1"}, false},
		{host, dns.TypeSRV, denied, said{data: "0 50 80 " + host + "clusterset.local."}, false},
		{"db-1.c1.eu.db.alpha.svc.", dns.TypeA, denied, said{data: "10.51.0.2"}, false},
		{"db-0.c1.us.web.alpha.svc.", dns.TypeA, denied, said{data: "10.51.0.3"}, false},
	} {
		q := question{prefix: tt.prefix, zone: setLower, qtype: tt.qtype}
		if d := c.difference(q, plain, tt.theirs.reply(t, q), tt.ours.reply(t, q)); (d == nil) != tt.equal {
			t.Errorf("%s, %+v and %+v: difference %v, want equal: %t", q, tt.theirs, tt.ours, d, tt.equal)
		}
	}
}

// said is a reply: a record's data, and an address beside it.
type said struct {
	rcode       int
	data, extra string
}

var denied, noData = said{rcode: dns.RcodeNameError}, said{}

func (s said) reply(t *testing.T, q question) *dns.Msg {
	t.Helper()
	m := asked(q.ourName(), q.qtype)
	m.Rcode = s.rcode
	record := func(qtype uint16, data string) []dns.RR {
		if data == "" {
			return nil
		}
		rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", q.ourName(), ttl, dns.TypeToString[qtype], data))
		if err != nil {
			t.Fatal(err)
		}
		return []dns.RR{rr}
	}
	m.Answer, m.Extra = record(q.qtype, s.data), record(dns.TypeA, s.extra)
	return m
}
