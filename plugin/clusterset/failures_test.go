package clusterset

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

const memberZone = `
cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
web.default.svc.cluster.local. 5 IN A 10.101.0.1
web.default.svc.cluster.local. 5 IN AAAA fd00:101::1
`

// serveSet starts a server in front of these clusters.
func serveSet(t *testing.T, clusters, options string) *coreDNS {
	t.Helper()
	return startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan in-addr.arpa ip6.arpa {
			file `+document(t, clusters)+`
			`+options+`
		}
		whoami
	}`)
}

func clusterAt(name, dnsAddr, more string) string {
	return "- {name: " + name + `, serviceCIDRs: [10.101.0.0/19, "fd00:101::/112"], dns: ["` + dnsAddr + `"]` + more + "}\n"
}

// TestMemberFails: the reply, what it says, and its time.
func TestMemberFails(t *testing.T) {
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	silent := clustertest.Serve(t, clustertest.Silence)
	failing := clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure))
	good := clustertest.Serve(t, clustertest.Zone(t, memberZone))
	start := func(t *testing.T) *coreDNS {
		t.Helper()
		return serveSet(t,
			clusterAt("closed", closed.Addr.String(), "")+clusterAt("silent", silent.Addr.String(), "")+
				clusterAt("failing", failing.Addr.String(), "")+clusterAt("good", good.Addr.String(), "")+
				clusterAt("tls", "tls://"+good.Addr.String(), ", tls: {caFile: /nowhere}"), "timeout 600ms")
	}
	tests := []struct {
		member string
		code   uint16
		text   string
		bound  time.Duration
	}{
		{"closed", dns.ExtendedErrorCodeNetworkError, "member closed: " + closed.Addr.String() + ": connection refused", 100 * time.Millisecond},
		{"silent", dns.ExtendedErrorCodeNoReachableAuthority, "member silent: " + silent.Addr.String() + ": no reply", 800 * time.Millisecond},
		{"failing", dns.ExtendedErrorCodeNoReachableAuthority, "member failing: " + failing.Addr.String() + ": answered SERVFAIL", 100 * time.Millisecond},
		{"tls", dns.ExtendedErrorCodeNoReachableAuthority, "member tls: open /nowhere: no such file or directory", 100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.member, func(t *testing.T) {
			clustertest.Tries(t, func() error { // each with a member that isn't known to be down
				s := start(t)
				began := time.Now()
				m := lookup(t, s.addr, "udp", "web.default."+tt.member+".lan.", dns.TypeA)
				took := time.Since(began)
				code, text := explanation(m)
				if m.Rcode != dns.RcodeServerFailure || code != tt.code || text != tt.text || took > tt.bound {
					return fmt.Errorf("%s, EDE %d %q after %v; want SERVFAIL, %d %q within %v", dns.RcodeToString[m.Rcode], code, text, took, tt.code, tt.text, tt.bound)
				}
				if m := lookup(t, s.addr, "udp", "web.default.good.lan.", dns.TypeA); len(m.Answer) != 1 {
					return fmt.Errorf("another member's name: %v", m)
				}
				return nil
			})
		})
	}
	t.Run("known to be down", func(t *testing.T) {
		s := start(t)
		eventually(t, inTime, "every dead member fails at once", func() bool {
			start := time.Now()
			m := lookup(t, s.addr, "udp", "web.default.silent.lan.", dns.TypeA)
			_, text := explanation(m)
			return time.Since(start) < 50*time.Millisecond && strings.HasPrefix(text, "member silent: down: ")
		})
	})
}

// TestNoEDNS: an extended error goes only to who can read it, and the question's
// EDNS comes back.
func TestNoEDNS(t *testing.T) {
	failing := clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure))
	s := serveSet(t, clusterAt("c1", failing.Addr.String(), ""), "")
	m := new(dns.Msg)
	m.SetQuestion("web.default.c1.lan.", dns.TypeA)
	if reply := send(t, s.addr, "udp", m); reply.Rcode != dns.RcodeServerFailure || reply.IsEdns0() != nil {
		t.Errorf("got %v", reply)
	}
}

// TestCarried: the client's bits reach the member, its size as one of two, and its options
// don't.
func TestCarried(t *testing.T) {
	asked := make(chan *dns.Msg, 100)
	answer := clustertest.Zone(t, memberZone)
	member := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeSOA { // not a probe
			asked <- r.Copy()
		}
		answer(w, r)
	})
	s := serveSet(t, clusterAt("c1", member.Addr.String(), ""), "cache 0")
	tests := []struct {
		name             string
		size             uint16
		do, cd, rd       bool
		wantSize         uint16
		edns, cookieSent bool
	}{
		{name: "plain", rd: true, wantSize: 512},
		{name: "no recursion", wantSize: 512},
		{name: "EDNS", size: 1232, rd: true, edns: true, wantSize: 1232},
		{name: "DO and CD", size: 4000, do: true, cd: true, edns: true, wantSize: 1232},
		{name: "too small", size: 100, edns: true, wantSize: 512},
		{name: "in between", size: 1231, edns: true, wantSize: 512},
		{name: "too large", size: 65535, edns: true, wantSize: 1232},
		{name: "a cookie", size: 1232, edns: true, cookieSent: true, wantSize: 1232},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := new(dns.Msg)
			m.SetQuestion("web.default.c1.lan.", dns.TypeA)
			m.RecursionDesired, m.CheckingDisabled = tt.rd, tt.cd
			if tt.edns {
				m.SetEdns0(tt.size, tt.do)
			}
			if tt.cookieSent {
				m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"}}
			}
			for len(asked) > 0 { // what was sent again
				<-asked
			}
			reply := send(t, s.addr, "udp", m)
			got := <-asked
			if got.RecursionDesired != tt.rd || got.CheckingDisabled != tt.cd || reply.RecursionDesired != tt.rd || reply.CheckingDisabled != tt.cd {
				t.Errorf("bits: asked %v, replied %v", got.MsgHdr, reply.MsgHdr)
			}
			o := got.IsEdns0()
			if o == nil || o.UDPSize() != tt.wantSize || o.Do() != tt.do || len(o.Option) != 1 || hopsOf(got) != 1 {
				t.Errorf("EDNS %v, want our own with the client's size and DO, and the hops", o)
			}
			if (reply.IsEdns0() != nil) != tt.edns {
				t.Errorf("EDNS in the reply: %v", reply.IsEdns0())
			}
		})
	}
}

// TestTooMany: over max_concurrent it is REFUSED, and other members aren't hit.
func TestTooMany(t *testing.T) {
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	held := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeSOA { // not a probe
			arrived <- struct{}{}
			<-release
		}
		clustertest.Rcode(dns.RcodeNameError)(w, r)
	})
	good := clustertest.Serve(t, clustertest.Zone(t, memberZone))
	s := serveSet(t, clusterAt("held", held.Addr.String(), "")+clusterAt("good", good.Addr.String(), ""), "max_concurrent 1\ntimeout 30s")
	done := make(chan *dns.Msg)
	go func() { done <- lookup(t, s.addr, "udp", "web.default.held.lan.", dns.TypeA) }()
	<-arrived
	if m := lookup(t, s.addr, "udp", "web.default.held.lan.", dns.TypeA); m.Rcode != dns.RcodeRefused {
		t.Errorf("%s, want REFUSED", dns.RcodeToString[m.Rcode])
	}
	if m := lookup(t, s.addr, "udp", "web.default.good.lan.", dns.TypeA); len(m.Answer) != 1 {
		t.Errorf("another member's name: %v", m)
	}
	close(release)
	if m := <-done; m.Rcode != dns.RcodeNameError {
		t.Errorf("the one in flight: %s", dns.RcodeToString[m.Rcode])
	}
}

// TestGateways: a member of another network is answered with its gateways.
func TestGateways(t *testing.T) {
	member := clustertest.Serve(t, withExtra(clustertest.Zone(t, memberZone+`
_x._tcp.many.default.svc.cluster.local. 5 IN SRV 0 50 5432 a.many.default.svc.cluster.local.
_x._tcp.many.default.svc.cluster.local. 5 IN SRV 0 50 5432 b.many.default.svc.cluster.local.
_x._tcp.many.default.svc.cluster.local. 5 IN SRV 0 50 5432 c.many.default.svc.cluster.local.
db.default.svc.cluster.local. 5 IN A 10.101.0.3
db.default.svc.cluster.local. 5 IN A 10.101.0.4
_pg._tcp.db.default.svc.cluster.local. 5 IN SRV 0 50 5432 db.default.svc.cluster.local.
`))).Addr.String()
	s := serveSet(t, clusterAt("here", member, ", network: a")+clusterAt("near", member, ", network: a")+
		clusterAt("far", member, ", network: b, gateways: [203.0.113.10, 203.0.113.11]")+clusterAt("lost", member, ", network: b"), "local here")
	tests := []struct {
		name  string
		qtype uint16
		rcode int
		want  []string
	}{
		{"web.default.near.lan.", dns.TypeA, 0, []string{"10.101.0.1"}},
		{"web.default.far.lan.", dns.TypeA, 0, []string{"203.0.113.10", "203.0.113.11"}},
		{"db.default.far.lan.", dns.TypeA, 0, []string{"203.0.113.10", "203.0.113.11"}},
		{"web.default.far.lan.", dns.TypeAAAA, 0, nil},
		{"web.default.lost.lan.", dns.TypeA, dns.RcodeServerFailure, nil},
	}
	srv := lookup(t, s.addr, "udp", "_x._tcp.many.default.far.lan.", dns.TypeSRV)
	withoutEDNS(srv)
	if len(srv.Answer) != 3 || len(srv.Extra) != 3*2 {
		t.Errorf("each target has both gateways: %v", srv)
	}
	for _, tt := range tests {
		m := lookup(t, s.addr, "udp", tt.name, tt.qtype)
		var got []string
		for _, rr := range m.Answer {
			got = append(got, rr.(*dns.A).A.String())
		}
		if m.Rcode != tt.rcode || strings.Join(got, " ") != strings.Join(tt.want, " ") {
			t.Errorf("%s %s: %s %v, want %v", tt.name, dns.TypeToString[tt.qtype], dns.RcodeToString[m.Rcode], got, tt.want)
		}
		if code, _ := explanation(m); (code == dns.ExtendedErrorCodeFiltered) != (tt.want == nil) {
			t.Errorf("%s: EDE %d", tt.name, code)
		}
	}
}

// withExtra adds the address of each SRV target, as kubernetes does.
func withExtra(answer dns.HandlerFunc) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) { answer(extraWriter{w}, r) }
}

type extraWriter struct{ dns.ResponseWriter }

func (w extraWriter) WriteMsg(m *dns.Msg) error {
	for _, rr := range m.Answer {
		if srv, ok := rr.(*dns.SRV); ok {
			m.Extra = append(m.Extra, rrs(srv.Target+" 5 IN A 10.101.0.7")...)
		}
	}
	return w.ResponseWriter.WriteMsg(m)
}

// TestGuardForms: addresses in another clothing are guarded as well.
func TestGuardForms(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+`
mapped.default.svc.cluster.local. 5 IN AAAA ::ffff:10.102.0.20
far.default.svc.cluster.local. 5 IN A 10.103.0.20
hint.default.svc.cluster.local. 5 IN HTTPS 1 . alpn=h2 ipv4hint=10.102.0.20 ipv6hint=::1
`)).Addr.String()
	s := serveSet(t, clusterAt("c1", member, "")+"- {name: c2, serviceCIDRs: [10.102.0.0/19], dns: [\""+member+"\"]}\n"+
		"- {name: c3, serviceCIDRs: [10.103.0.0/19], dns: [\""+member+"\"], network: eu}\n", "")
	for name, qtype := range map[string]uint16{"mapped.default.c1.lan.": dns.TypeAAAA, "far.default.c1.lan.": dns.TypeA} {
		if m := lookup(t, s.addr, "udp", name, qtype); m.Rcode != dns.RcodeServerFailure {
			t.Errorf("%s: %v", name, m)
		}
	}
	m := lookup(t, s.addr, "udp", "hint.default.c1.lan.", dns.TypeHTTPS)
	if len(m.Answer) != 1 || strings.Contains(m.Answer[0].String(), "v4hint") {
		t.Errorf("hints: %v", m)
	}
}

func TestFallthrough(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	s := serveSet(t, clusterAt("c1", member, ""), "fallthrough c9.lan")
	for name, want := range map[string]int{
		"web.default.c9.lan.":  dns.RcodeSuccess, // whoami's
		"web.default.c8.lan.":  dns.RcodeNameError,
		"nope.default.c1.lan.": dns.RcodeNameError,
	} {
		if m := lookup(t, s.addr, "udp", name, dns.TypeA); m.Rcode != want {
			t.Errorf("%s: %s, want %s", name, dns.RcodeToString[m.Rcode], dns.RcodeToString[want])
		}
	}
}

// TestNotReady: without a ClusterSet it is SERVFAIL that says so, never NXDOMAIN
// and never the next plugin; addresses may be anybody's, and go on.
func TestNotReady(t *testing.T) {
	processStart = time.Now()
	readiness := freeAddress(t, "127.77.0.1")
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		ready `+readiness+`
		clusterset lan 10.in-addr.arpa {
			kubeconfig `+closedKubeconfig(t)+`
			fallthrough
		}
		whoami
	}`)
	m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)
	if code, _ := explanation(m); m.Rcode != dns.RcodeServerFailure || code != dns.ExtendedErrorCodeNotReady {
		t.Errorf("got %v", m)
	}
	for _, name := range []string{"www.example.org.", "1.1.101.10.in-addr.arpa."} {
		if m := lookup(t, s.addr, "udp", name, dns.TypePTR); m.Rcode != dns.RcodeSuccess {
			t.Errorf("%s: %v", name, m)
		}
	}
	if status := getReady(t, readiness); status != http.StatusServiceUnavailable {
		t.Errorf("ready: %d", status)
	}
	processStart = time.Now().Add(-startTimeout)
	if status := getReady(t, readiness); status != http.StatusOK {
		t.Errorf("ready after %s: %d", startTimeout, status)
	}
	if m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("ready, and got %v", m)
	}
}

func getReady(t *testing.T, address string) (status int) {
	t.Helper()
	reply, err := http.Get("http://" + address + "/ready")
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	return reply.StatusCode
}

// TestFileMustBeGood: a bad document at the start ends CoreDNS with its error.
func TestFileMustBeGood(t *testing.T) {
	path := document(t, "- {name: C1}\n")
	_, err := caddy.Start(corefile(".:0 {\nbind 127.77.0.1\nclusterset lan {\nfile " + path + "\n}\n}"))
	for _, want := range []string{`clusters[0].name: "C1": not one or two`, "clusters[0].serviceCIDRs: missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	_, err = caddy.Start(corefile(".:0 {\nbind 127.77.0.1\nclusterset lan {\nfile /nowhere\n}\n}"))
	if err == nil || !strings.Contains(err.Error(), "/nowhere: no such file") {
		t.Errorf("error %v", err)
	}
}

// TestExternalNameOfDeadMember: what can't be resolved now isn't given as a name
// without addresses, which clients would keep.
func TestExternalNameOfDeadMember(t *testing.T) {
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"\nshop.default.svc.cluster.local. 5 IN CNAME web.default.c2.lan.\n"))
	s := serveSet(t, clusterAt("c1", member.Addr.String(), "")+clusterAt("c2", closed.Addr.String(), ""), "")
	m := lookup(t, s.addr, "udp", "shop.default.c1.lan.", dns.TypeA)
	code, text := explanation(m)
	if m.Rcode != dns.RcodeServerFailure || code != dns.ExtendedErrorCodeNetworkError || !strings.HasPrefix(text, "member c2: ") {
		t.Errorf("%s, EDE %d %q", dns.RcodeToString[m.Rcode], code, text)
	}
}

// TestReverseAlone: where no plugin is behind, the reverse zone is ours alone.
func TestReverseAlone(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan 10.in-addr.arpa {\nfile "+document(t, clusterAt("c1", member, ""))+"\n}\n}")
	for name, want := range map[string]int{
		"10.in-addr.arpa.":       dns.RcodeSuccess,
		"101.10.in-addr.arpa.":   dns.RcodeSuccess,
		"9.9.9.10.in-addr.arpa.": dns.RcodeNameError,
	} {
		m := lookup(t, s.addr, "udp", name, dns.TypeSOA)
		if m.Rcode != want || len(m.Answer)+len(m.Ns) != 1 {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// TestLoops: a member whose DNS is this very server ends in an error, after a
// few queries; addresses that it is asked for are the next plugin's.
func TestLoops(t *testing.T) {
	addr := freeAddress(t, "127.77.0.1")
	set := document(t, clusterAt("c1", addr, ", clusterDomain: c1.lan"))
	reverse := filepath.Join(t.TempDir(), "reverse.zone") // whose names are the member's, as whoever asks takes no others
	zone := "$ORIGIN 101.10.in-addr.arpa.\n@ 5 IN SOA ns hostmaster 1 2 3 4 5\n1.1 5 IN PTR web.default.svc.c1.lan.\n"
	if err := os.WriteFile(reverse, []byte(zone), 0o600); err != nil {
		t.Fatal(err)
	}
	startCoreDNS(t, strings.ReplaceAll(`.:PORT {
		bind 127.77.0.1
		clusterset lan 10.in-addr.arpa {
			file `+set+`
		}
		file `+reverse+` 101.10.in-addr.arpa
	}`, "PORT", addr[strings.LastIndexByte(addr, ':')+1:]))
	if m := lookup(t, addr, "udp", "1.1.101.10.in-addr.arpa.", dns.TypePTR); len(m.Answer) != 1 {
		t.Errorf("an address: %v", m)
	}
	if m := lookup(t, addr, "udp", "web.default.c1.lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("a name: %v", m)
	}
}

// TestExternalNameStorm: ExternalNames of two clusters that lead to each other,
// through both their servers, cost a few queries.
func TestExternalNameStorm(t *testing.T) {
	one, two := freeAddress(t, "127.77.0.1"), freeAddress(t, "127.77.0.1")
	asked := new(atomic.Int64)
	for i, addr := range []string{one, two} {
		name, other, at := []string{"c1", "c2"}[i], []string{"c2", "c1"}[i], []string{two, one}[i]
		zone := filepath.Join(t.TempDir(), "zone")
		text := "$ORIGIN cluster.local.\n@ 5 IN SOA ns.dns hostmaster 1 2 3 4 5\nloop.default.svc 5 IN CNAME loop.default." + other + ".lan.\n"
		if err := os.WriteFile(zone, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		relay := relayTo(t, at, asked)
		startCoreDNS(t, ".:"+addr[strings.LastIndexByte(addr, ':')+1:]+" {\nbind 127.77.0.1\nclusterset lan {\nfile "+
			document(t, clusterAt(name, addr, "")+clusterAt(other, relay, ""))+"\nlocal "+name+"\n}\nfile "+zone+" cluster.local\n}")
	}
	lookup(t, one, "udp", "loop.default.c2.lan.", dns.TypeA)
	if n := asked.Load(); n > 50 { // some are retransmits, on a busy machine
		t.Errorf("one question made %d", n)
	}
}

// relayTo passes queries on to addr and counts them.
func relayTo(t *testing.T, addr string, asked *atomic.Int64) string {
	t.Helper()
	return clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		asked.Add(1)
		client := &dns.Client{Timeout: 5 * time.Second} // longer than who asks; what is asked as the server ends has no reply
		if reply, _, err := client.Exchange(r, addr); err == nil {
			_ = w.WriteMsg(reply)
		}
	}).Addr.String()
}

// TestDeadlineOfLookups: a look-up within a query has what is left of its time,
// not as much again.
func TestDeadlineOfLookups(t *testing.T) {
	silent := clustertest.Serve(t, clustertest.Silence)
	set := document(t, clusterAt("here", silent.Addr.String(), "")+clusterAt("c2.eu", silent.Addr.String(), ""))
	clustertest.Tries(t, func() error { // each with a member that isn't known to be silent
		s := startCoreDNS(t, `.:PORT {
			bind 127.77.0.1
			clusterset lan {
				file `+set+`
				local here
				timeout 1s
			}
			file testdata/c1.zone cluster.local
		}`)
		start := time.Now()
		m := lookup(t, s.addr, "udp", "far.default.here.lan.", dns.TypeA)
		if took := time.Since(start); m.Rcode != dns.RcodeServerFailure || took > 1700*time.Millisecond {
			return fmt.Errorf("%s after %v", dns.RcodeToString[m.Rcode], took)
		}
		return nil
	})
}

// TestAuthorityIsRenamedOrLeftOut: nothing of a member's authority section gets
// out under its own domain, whatever way the reply takes.
func TestAuthorityIsRenamedOrLeftOut(t *testing.T) {
	member := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(r)
		m.Ns = rrs("cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5")
		if strings.HasPrefix(r.Question[0].Name, "out.") {
			m.Answer = rrs(r.Question[0].Name + " 5 IN CNAME www.example.org.")
		} else {
			m.Rcode = dns.RcodeNotImplemented
		}
		_ = w.WriteMsg(m)
	}).Addr.String()
	s := startCoreDNS(t, "lan:PORT {\nbind 127.77.0.1\nclusterset {\nfile "+document(t, clusterAt("c1", member, ""))+"\n}\n}")
	for _, name := range []string{"out.default.c1.lan.", "web.default.c1.lan."} {
		if m := lookup(t, s.addr, "udp", name, dns.TypeA); len(m.Ns) != 0 {
			t.Errorf("%s: %v", name, m.Ns)
		}
	}
}
