//go:build e2e && linux

package netns

import (
	"testing"

	"github.com/miekg/dns"
)

// TestLargeAnswer asks for a headless service of 200 pods in another cluster,
// 3.2 kB: a client whose EDNS size is smaller is told to come over TCP.
func TestLargeAnswer(t *testing.T) {
	clusters := newClusters(t)
	for _, tc := range []struct {
		name  string
		q     question
		whole bool
	}{
		{"UDP, 1232", question{size: 1232}, false},
		{"TCP, 1232", question{size: 1232, tcp: true}, true},
		{"UDP, 4096", question{size: 4096}, true},
		{"TCP, 4096", question{size: 4096, tcp: true}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.q.name, tc.q.qtype = "headless.default.svc.cluster1.lan.", dns.TypeA
			r := clusters[0].mustAsk(t, tc.q)
			if r.Rcode != dns.RcodeSuccess || r.Truncated == tc.whole || (len(r.Answer) == headlessAddresses) != tc.whole {
				t.Errorf("%s, %d records, TC %v; want it whole: %v", dns.RcodeToString[r.Rcode], len(r.Answer), r.Truncated, tc.whole)
			}
			r.Compress = true
			if size := r.Len(); !tc.q.tcp && size > int(tc.q.size) {
				t.Errorf("%d bytes, more than the client takes", size)
			}
			t.Logf("%d records after %v", len(r.Answer), r.took)
		})
	}
}
