//go:build e2e && linux

package world

import (
	"testing"

	"github.com/miekg/dns"
)

func TestMain(m *testing.M) {
	Enter()
	m.Run()
}

// TestWorld: each cluster's DNS answers for its cluster, at its service's address, and for
// no others' before they are joined.
func TestWorld(t *testing.T) {
	w := Start(t)
	for _, c := range w.Clusters {
		here := ask(t, c, "web.shop.svc.cluster.local.")
		if len(here.Answer) != 1 || here.Answer[0].(*dns.A).A.String() != c.Web() {
			t.Errorf("%s: want %s:\n%v", c.Name, c.Web(), here)
		}
		if lan := ask(t, c, "web.shop."+c.Name+".lan."); lan.Rcode != dns.RcodeServerFailure {
			t.Errorf("%s: want SERVFAIL, there is no ClusterSet yet:\n%v", c.Name, lan)
		}
	}
	gone := w.Cluster("cluster2")
	gone.StopDNS()
	if _, err := dns.Exchange(new(dns.Msg).SetQuestion(".", dns.TypeNS), gone.DNS()+":53"); err == nil {
		t.Errorf("%s: an answer after StopDNS", gone.Name)
	}
	gone.StartDNS()
	ask(t, gone, "web.shop.svc.cluster.local.")
}

func ask(t *testing.T, c *Cluster, name string) *dns.Msg {
	t.Helper()
	reply, err := dns.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), c.DNS()+":53")
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	return reply
}
