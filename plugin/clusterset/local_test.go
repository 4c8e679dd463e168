package clusterset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestLocal: the local cluster's names are looked up inside this server, in its
// own block or another, and no packet is sent for them.
func TestLocal(t *testing.T) {
	cases := []test.Case{
		{Qname: "web.default.here.lan.", Qtype: dns.TypeA, Answer: rrs("web.default.here.lan. 5 IN A 10.101.1.1")},
		{Qname: "_pg._tcp.db.default.here.lan.", Qtype: dns.TypeSRV,
			Answer: rrs("_pg._tcp.db.default.here.lan. 5 IN SRV 0 50 5432 db-0.db.default.svc.here.lan.", "_pg._tcp.db.default.here.lan. 5 IN SRV 0 50 5432 db-1.db.default.svc.here.lan."),
			Extra:  rrs("db-0.db.default.svc.here.lan. 5 IN A 10.51.0.3", "db-1.db.default.svc.here.lan. 5 IN A 10.51.0.4")},
		{Qname: "nope.default.here.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs("here.lan. 5 IN SOA ns.dns.here.lan. hostmaster.here.lan. 7 7200 1800 86400 5")},
		// the zone is this server's; what is above SRV names is as the Service
		{Qname: "here.lan.", Qtype: dns.TypeNS, Answer: rrs("here.lan. 5 IN NS ns.dns.here.lan."), Extra: rrs("ns.dns.here.lan. 5 IN A 127.77.0.1")},
		{Qname: "_udp.db.default.here.lan.", Qtype: dns.TypeNS, Ns: rrs("here.lan. 5 IN SOA ns.dns.here.lan. hostmaster.here.lan. 1 7200 1800 86400 5")},
		{Qname: "_tcp.nope.default.here.lan.", Qtype: dns.TypeNS, Rcode: dns.RcodeNameError, Ns: rrs("here.lan. 5 IN SOA ns.dns.here.lan. hostmaster.here.lan. 7 7200 1800 86400 5")},
		// what the local plugins say of a local address isn't guarded, and is theirs
		{Qname: "loop.default.here.lan.", Qtype: dns.TypeA, Answer: rrs("loop.default.here.lan. 5 IN A 127.0.0.1")},
		// addresses of the local cluster are the next plugin's
		{Qname: "1.1.101.10.in-addr.arpa.", Qtype: dns.TypePTR, Answer: rrs("1.1.101.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local.")},
	}
	member := clustertest.Serve(t, clustertest.Silence)
	set := document(t, clusterAt("here", member.Addr.String(), ""))
	stanza := "clusterset lan in-addr.arpa {\nfile " + set + "\nlocal here\n}\n"
	zones := "file testdata/c1.zone cluster.local\n"
	blocks := map[string]string{
		"the same block": ".:PORT {\nbind 127.77.0.1\n" + stanza + zones + "file testdata/reverse.zone 101.10.in-addr.arpa\n}",
		"another block":  "cluster.local:PORT {\nbind 127.77.0.1\n" + zones + "}\n.:PORT {\nbind 127.77.0.1\n" + stanza + "file testdata/reverse.zone 101.10.in-addr.arpa\n}",
	}
	for name, text := range blocks {
		t.Run(name, func(t *testing.T) {
			s := startCoreDNS(t, text)
			for _, tc := range cases {
				for _, network := range []string{"udp", "tcp"} {
					m := lookup(t, s.addr, network, tc.Qname, tc.Qtype)
					withoutEDNS(m)
					if err := test.SortAndCheck(m, tc); err != nil {
						t.Errorf("%s %s: %v\n%v", tc.Qname, network, err, m)
					}
				}
			}
		})
	}
	if n := member.UDP.Load() + member.TCP.Load(); n != 0 {
		t.Errorf("%d packets to the local cluster's own DNS", n)
	}
	if n := testutil.ToFloat64(responses.WithLabelValues("here", "local", "NOERROR")); n == 0 {
		t.Error("not counted as local")
	}
}

// TestLocalElsewhere: in a server that doesn't serve its domain, the local
// cluster is a member like any other.
func TestLocalElsewhere(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone))
	s := serveSet(t, clusterAt("here", member.Addr.String(), ""), "local here")
	for range 2 {
		if m := lookup(t, s.addr, "udp", "web.default.here.lan.", dns.TypeA); len(m.Answer) != 1 {
			t.Errorf("got %v", m)
		}
	}
}

// TestLocalFails: what this server's own plugins can't say now isn't said to be nothing.
func TestLocalFails(t *testing.T) {
	failing := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		if m.Authoritative = true; r.Question[0].Qtype == dns.TypeSOA {
			m.Answer = rrs("cluster.local. 5 IN SOA ns.dns.cluster.local. h.cluster.local. 1 2 3 4 5")
		} else {
			m.Rcode = dns.RcodeServerFailure
		}
		_ = w.WriteMsg(m) // the client may be gone
	}).Addr.String()
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("here", failing, ""))+`
			local here
		}
		forward cluster.local `+failing+`
	}`)
	for _, name := range []string{"web.default.here.lan.", "_tcp.web.default.here.lan."} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeTXT} {
			if m := lookup(t, s.addr, "udp", name, qtype); m.Rcode != dns.RcodeServerFailure {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
}

// TestLocalOwnName: a local cluster that serves its names as they are asked here
// is the next plugin's.
func TestLocalOwnName(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Silence)
	set := document(t, clusterAt("c2.eu", member.Addr.String(), ", clusterDomain: cluster2.lan")+clusterAt("c1", member.Addr.String(), ", clusterDomain: c1.lan"))
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+set+`
			local c1
			timeout 500ms
		}
		file testdata/own.zone c1.lan
	}`)
	for _, name := range []string{"web.default.svc.c1.lan.", "web.default.c1.lan."} {
		if m := lookup(t, s.addr, "udp", name, dns.TypeA); addressOf(m) != "10.101.1.1" {
			t.Errorf("%s: %v", name, m)
		}
	}
	if n := member.UDP.Load(); n != 0 {
		t.Errorf("%d packets", n)
	}
}

// TestLocalResolverDead: whether this server serves the local cluster's domain
// isn't found out at the expense of a query.
func TestLocalResolverDead(t *testing.T) {
	member, resolver := clustertest.Serve(t, clustertest.Zone(t, memberZone)), clustertest.Serve(t, clustertest.Silence)
	clustertest.Tries(t, func() error {
		s := startCoreDNS(t, `.:PORT {
			bind 127.77.0.1
			clusterset lan {
				file `+document(t, clusterAt("here", member.Addr.String(), ""))+`
				local here
			}
			forward . `+resolver.Addr.String()+`
		}`)
		for range 3 {
			start := time.Now()
			m := lookup(t, s.addr, "udp", "web.default.here.lan.", dns.TypeA)
			if took := time.Since(start); addressOf(m) != "10.101.0.1" || took > 500*time.Millisecond {
				return fmt.Errorf("%s after %v", addressOf(m), took)
			}
		}
		return nil
	})
}

// TestLookupIsBounded: a look-up in another plugin ends with the query's time.
func TestLookupIsBounded(t *testing.T) {
	resolver := clustertest.Serve(t, clustertest.Silence)
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"\nout.default.svc.cluster.local. 5 IN CNAME www.example.org.\n"))
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("c1", member.Addr.String(), ""))+`
			timeout 300ms
		}
		forward . `+resolver.Addr.String()+`
	}`)
	clustertest.Within(t, 600*time.Millisecond, func() {
		if m := lookup(t, s.addr, "udp", "out.default.c1.lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
			t.Errorf("got %v", m)
		}
	})
}

// TestLongChain: as many CNAMEs are followed as kubernetes follows, wherever they end.
func TestLongChain(t *testing.T) {
	var chain strings.Builder
	for i := range maxLookups - 1 {
		fmt.Fprintf(&chain, "n%d.default.svc.cluster.local. 5 IN CNAME n%d.default.c1.lan.\n", i, i+1)
	}
	fmt.Fprintf(&chain, "n%d.default.svc.cluster.local. 5 IN CNAME web.outside.test.\n", maxLookups-1)
	member := clustertest.Serve(t, clustertest.Zone(t, chain.String()))
	outside := filepath.Join(t.TempDir(), "outside.zone")
	zone := "$ORIGIN outside.test.\n@ 5 IN SOA ns hostmaster 1 7200 1800 86400 5\nweb 5 IN A 192.0.2.1\n"
	if err := os.WriteFile(outside, []byte(zone), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("c1", member.Addr.String(), ""))+`
		}
		file `+outside+` outside.test
	}`)
	m := lookup(t, s.addr, "udp", "n0.default.c1.lan.", dns.TypeA)
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) != maxLookups+1 {
		t.Errorf("got %v", m)
	}
}
