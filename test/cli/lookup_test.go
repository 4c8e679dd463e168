//go:build e2e && linux

package cli

import (
	"fmt"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestLookup: a member by its DNS alone, while that lives and when it is dead; and who asks
// counts.
func TestLookup(t *testing.T) {
	s := newStory(t)
	s.must(words("join cluster2 --from-context cluster2")...)
	s.must(words("join cluster3 --dns-only --service-cidrs 10.103.0.0/16")...)
	s.must(words("status --wait 2m")...)

	s.want(0, words("lookup web.shop.cluster2.lan"), ";; ANSWER\nweb.shop.cluster2.lan.\t5\tIN\tA\t10.102.0.20\n", "How it was found:\n 1. ")
	s.want(0, words("lookup web.shop.cluster3.lan --all-replicas"), "10.103.0.20", "10.103.0.10:53")
	s.want(0, words("lookup 10.102.0.20"), "PTR\tweb.shop.svc.cluster2.lan.")
	s.want(0, words("lookup _http._tcp.web.shop.cluster2.lan SRV -o yaml"), "rcode: NOERROR", "80 web.shop.svc.cluster2.lan.")
	s.want(1, words("lookup nothing.shop.cluster2.lan -o short"), "NXDOMAIN")
	s.want(1, words("lookup 10.99.0.1 -o short"), "not answered here: passed on to the next plugin")
	s.want(3, words("lookup web.shop.svc.cluster.local"), "in none of the zones")
	s.want(3, words("lookup web.shop.cluster2.lan NOPE"), "not a type")
	pod := s.Cluster("cluster1").Replicas[0]
	s.want(0, words("lookup web.shop.cluster2.lan -o json --from kube-system/"+pod.Pod()), fmt.Sprintf("%q", pod.IP()))
	s.want(2, words("lookup web.shop.cluster2.lan --from kube-system/nobody"), "not found")
	s.want(0, words("lookup web.shop.cluster2.lan -o short --server "+pod.Status()), "10.102.0.20")
	s.want(0, words("status -o short --server "+pod.Status()), "clusterset ok")

	s.Cluster("cluster3").StopDNS()
	harness.Eventually(t, harness.StartLimit, "its DNS is seen to be down", func() error {
		s.Clusterset("lookup", "nothing.shop.cluster3.lan", "--all-replicas")
		if r := s.Clusterset("status"); r.Code != 2 {
			return fmt.Errorf("not yet: %s", r.Said())
		}
		return nil
	})
	s.want(2, words("status"), "✗ member cluster3: DNS at 10.103.0.10:53: down: connection refused")
	s.want(2, words("lookup other.shop.cluster3.lan"), "SERVFAIL", "EXTENDED ERROR 22")
	s.want(2, words("status --wait 2s"), "not within 2s: waited for member cluster3")
	s.Cluster("cluster3").StartDNS()
	s.must(words("status --wait 2m")...)
}
