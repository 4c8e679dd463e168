package exchange

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestRcodes: an rcode is an answer where it is NOERROR or NXDOMAIN, whatever the
// transport; any other is that upstream's failure, and the error names it.
func TestRcodes(t *testing.T) {
	t.Parallel()
	names := map[int]string{dns.RcodeBadVers: "BADVERS", 12: "rcode 12", 15: "rcode 15", 24: "rcode 24", 3841: "rcode 3841"}
	for _, rcode := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 20, 22, 23, 24, 3841} {
		for _, scheme := range []model.Scheme{model.DNS, model.TCP} {
			t.Run(fmt.Sprintf("%d over %s", rcode, scheme), func(t *testing.T) {
				t.Parallel()
				bad := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
					m := new(dns.Msg).SetRcode(r, rcode)
					if r.Question[0].Qtype == dns.TypeSOA {
						m.Rcode = dns.RcodeSuccess
					}
					m.Authoritative = true
					m.SetEdns0(1232, false)
					_ = w.WriteMsg(m)
				})
				good := clustertest.Serve(t, clustertest.Zone(t, zone))
				c := newClientOf(t, scheme, nil, bad.Addr, good.Addr)
				c.turn.Store(1)
				q := question("web.default.svc.cluster.local.")
				q.EDNS.Size = DatagramSize
				m, _, err := c.Exchange(t.Context(), q)
				if !wire.IsFailure(rcode) {
					if err != nil || m.Rcode != rcode {
						t.Errorf("%v, %v", m, err)
					}
					return
				}
				wantAddress(t, m, err)
				c = newClientOf(t, scheme, nil, bad.Addr)
				_, _, err = c.Exchange(t.Context(), q)
				wantReason(t, err, BadReply)
				name := names[rcode]
				if name == "" {
					name = dns.RcodeToString[rcode]
				}
				if got := brief(err); !strings.HasSuffix(got, ": answered "+name) {
					t.Errorf("%q, want %s", got, name)
				}
			})
		}
	}
}
