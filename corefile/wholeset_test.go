package corefile

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// wholeSet: one name is the near cluster's, the far one's while the near one's DNS is dead, and
// the near one's again.
func wholeSet(t *testing.T, corefile string) {
	const name = "web.shop.svc.clusterset.local."
	member := func(address string) (string, func(t *testing.T, at string) *clustertest.Server) {
		records := "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5\n" +
			"web.shop.svc.cluster.local. 1 IN A " + address + "\n"
		return name + "\t1\tIN\tA\t" + address, func(t *testing.T, at string) *clustertest.Server {
			return clustertest.ServeAt(t, netip.MustParseAddrPort(at), clustertest.Zone(t, records))
		}
	}
	nearAnswer, startNear := member("10.101.0.80")
	farAnswer, startFar := member("10.102.0.80")
	near, far := startNear(t, loopback()+":0"), startFar(t, loopback()+":0")

	p := newPlace(t)
	p.port = 1053 + portOffset
	p.document = write(t, "clusterset.yaml", strings.NewReplacer(
		"[10.101.0.10]", fmt.Sprintf("[%q]", near.Addr), "[10.102.0.10]", fmt.Sprintf("[%q]", far.Addr),
	).Replace(read(t, "whole-set/clusterset.yaml")))
	s := start(t, p, corefile)
	until := func(want string) {
		t.Helper()
		_, err := harness.Poll(t.Context(), startTimeout, func() error {
			if reply := s.ask(t, name, dns.TypeA); len(reply.Answer) != 1 || reply.Answer[0].String() != want {
				return fmt.Errorf("want %s, have\n%v", want, reply)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}

	wantAnswer(t, s.ask(t, name, dns.TypeA), nearAnswer)
	wantAnswer(t, s.ask(t, "web.shop.west.lan.", dns.TypeA), strings.Replace(farAnswer, name, "web.shop.west.lan.", 1))
	wantAnswer(t, s.ask(t, "www.example.", dns.TypeA), "www.example.\t60\tIN\tA\t192.0.2.1")
	near.Stop()
	until(farAnswer)
	startNear(t, near.Addr.String())
	until(nearAnswer)
	if reply := s.ask(t, "nothing.shop.svc.clusterset.local.", dns.TypeA); reply.Rcode != dns.RcodeNameError {
		t.Errorf("a service of no cluster: want NXDOMAIN, have\n%v", reply)
	}
}
