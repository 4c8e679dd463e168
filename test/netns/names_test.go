//go:build e2e && linux

package netns

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// nameCase is a question to cluster0, and its answer's records.
type nameCase struct {
	name  string
	qtype uint16
	rcode int
	want  []string
}

func (nc nameCase) run(t *testing.T, from *cluster) {
	t.Helper()
	for _, tcp := range []bool{false, true} {
		r := from.mustAsk(t, question{name: nc.name, qtype: nc.qtype, tcp: tcp})
		if r.Rcode != nc.rcode || !slices.Equal(r.records(), nc.want) {
			t.Errorf("tcp %v: %s %q, want %s %q", tcp, dns.RcodeToString[r.Rcode], r.records(), dns.RcodeToString[nc.rcode], nc.want)
		}
		if len(nc.want) == 0 && (len(r.Ns) != 1 || r.Ns[0].Header().Rrtype != dns.TypeSOA) {
			t.Errorf("tcp %v: authority %v, want a SOA", tcp, r.Ns)
		}
		if leaks := strings.Contains(r.String(), "cluster.local"); leaks && strings.HasSuffix(nc.name, ".lan.") {
			t.Errorf("tcp %v: another cluster's cluster.local leaks out:\n%v", tcp, r)
		}
	}
}

func TestNames(t *testing.T) {
	clusters := newClusters(t)
	for _, nc := range []nameCase{
		{"podinfo.default.svc.cluster1.lan.", dns.TypeA, dns.RcodeSuccess, []string{"podinfo.default.svc.cluster1.lan. A 10.101.17.20"}},
		{"podinfo.default.cluster1.lan.", dns.TypeA, dns.RcodeSuccess, []string{"podinfo.default.cluster1.lan. A 10.101.17.20"}},
		{"PodInfo.default.Cluster2.lan.", dns.TypeA, dns.RcodeSuccess, []string{"PodInfo.default.Cluster2.lan. A 10.102.17.20"}},
		{"podinfo.default.svc.cluster1.lan.", dns.TypeAAAA, dns.RcodeSuccess, nil},
		{"missing.default.svc.cluster1.lan.", dns.TypeA, dns.RcodeNameError, nil},
		{"podinfo.default.svc.cluster9.lan.", dns.TypeA, dns.RcodeNameError, nil},
		{"_http._tcp.podinfo.default.cluster1.lan.", dns.TypeSRV, dns.RcodeSuccess, []string{"_http._tcp.podinfo.default.cluster1.lan. SRV 0 100 9898 podinfo.default.svc.cluster1.lan."}},
		{"elsewhere.default.svc.cluster1.lan.", dns.TypeA, dns.RcodeSuccess, []string{
			"elsewhere.default.svc.cluster1.lan. CNAME podinfo.default.svc.cluster2.lan.",
			"podinfo.default.svc.cluster2.lan. A 10.102.17.20",
		}},
		{"20.17.101.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, []string{"20.17.101.10.in-addr.arpa. PTR podinfo.default.svc.cluster1.lan."}},
		{"21.17.101.10.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, nil},
		{"20.17.100.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, []string{"20.17.100.10.in-addr.arpa. PTR podinfo.default.svc.cluster.local."}},
		{"podinfo.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, []string{"podinfo.default.svc.cluster.local. A 10.100.17.20"}},
	} {
		t.Run(nc.name+" "+dns.TypeToString[nc.qtype], func(t *testing.T) { nc.run(t, clusters[0]) })
	}
}

// TestMesh asks in every cluster for every cluster's service.
func TestMesh(t *testing.T) {
	clusters := newClusters(t)
	for _, from := range clusters {
		for _, of := range clusters {
			r := from.mustAsk(t, question{name: of.podinfo(), qtype: dns.TypeA})
			if want := []string{of.podinfo() + " A " + of.podinfoAddress()}; !slices.Equal(r.records(), want) {
				t.Errorf("%s: %q, want %q", from.name, r.records(), want)
			}
		}
	}
}

// TestLocalNames asks for the local cluster's names: they are looked up in the
// server, which sends no question to anyone, itself included.
func TestLocalNames(t *testing.T) {
	c := newClusters(t)[0]
	c.countQuestions(t)
	asked := 0
	for _, nc := range []nameCase{
		{"podinfo.default.svc.cluster0.lan.", dns.TypeA, dns.RcodeSuccess, []string{"podinfo.default.svc.cluster0.lan. A 10.100.17.20"}},
		{"podinfo.default.cluster0.lan.", dns.TypeA, dns.RcodeSuccess, []string{"podinfo.default.cluster0.lan. A 10.100.17.20"}},
		{"podinfo.default.cluster0.lan.", dns.TypeAAAA, dns.RcodeSuccess, nil},
		{"missing.default.cluster0.lan.", dns.TypeA, dns.RcodeNameError, nil},
		// Its own name for it stays as it was.
		{"podinfo.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, []string{"podinfo.default.svc.cluster.local. A 10.100.17.20"}},
	} {
		r := c.mustAsk(t, question{name: nc.name, qtype: nc.qtype})
		asked++
		if r.Rcode != nc.rcode || !slices.Equal(r.records(), nc.want) {
			t.Errorf("%s %q, want %s %q", dns.RcodeToString[r.Rcode], r.records(), dns.RcodeToString[nc.rcode], nc.want)
		}
	}
	if sent := c.questions(t); sent != asked {
		t.Errorf("%d questions sent in the namespace, want this test's %d alone", sent, asked)
	}
	for rcode, want := range map[string]float64{"NOERROR": 3, "NXDOMAIN": 1} {
		series := fmt.Sprintf(`coredns_clusterset_responses_total{cluster="cluster0",rcode="%s",source="local"}`, rcode)
		if got := c.metric(t, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	c.mustAsk(t, question{name: c.next().podinfo(), qtype: dns.TypeA})
	if sent := c.questions(t); sent != asked+2 {
		t.Errorf("%d questions sent, want %d: another cluster's name must be counted twice, else the counter sees nothing", sent, asked+2)
	}
}

// countQuestions makes the namespace count the packets sent to any port 53.
func (c *cluster) countQuestions(t testing.TB) {
	t.Helper()
	c.ns.nft(t, "add", "table", "inet", "count")
	c.ns.nft(t, "add", "counter", "inet", "count", "questions")
	c.ns.nft(t, "add", "chain", "inet", "count", "output", "{ type filter hook output priority 0; }")
	c.ns.nft(t, "add", "rule", "inet", "count", "output", "meta", "l4proto", "{ tcp, udp }", "th", "dport", "53", "counter", "name", "questions")
}

func (c *cluster) questions(t testing.TB) int {
	t.Helper()
	var list struct {
		Nftables []struct {
			Counter *struct {
				Packets int `json:"packets"`
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(c.ns.nft(t, "-j", "list", "counter", "inet", "count", "questions"), &list); err != nil {
		t.Fatal(err)
	}
	for _, object := range list.Nftables {
		if object.Counter != nil {
			return object.Counter.Packets
		}
	}
	t.Fatal("nft lists no counter")
	return 0
}
