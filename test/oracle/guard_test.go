//go:build e2e

package oracle

import (
	"net"
	"slices"
	"testing"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"
)

// TestDifferenceIsSeen breaks a reply in each way that there is. None may pass
// as equal, nor for an exception's sake.
func TestDifferenceIsSeen(t *testing.T) {
	for name, breaking := range map[string]func(*dns.Msg){
		"rcode":              func(m *dns.Msg) { m.Rcode = dns.RcodeNameError },
		"AA":                 func(m *dns.Msg) { m.Authoritative = false },
		"TC":                 func(m *dns.Msg) { m.Truncated = true },
		"RD":                 func(m *dns.Msg) { m.RecursionDesired = false },
		"RA":                 func(m *dns.Msg) { m.RecursionAvailable = true },
		"AD":                 func(m *dns.Msg) { m.AuthenticatedData = true },
		"CD":                 func(m *dns.Msg) { m.CheckingDisabled = true },
		"question":           func(m *dns.Msg) { m.Question[0].Name = "other.alpha.svc.c1.lan." },
		"record missing":     func(m *dns.Msg) { m.Answer = m.Answer[1:] },
		"record twice":       func(m *dns.Msg) { m.Answer = append(m.Answer, m.Answer[0]) },
		"owner":              func(m *dns.Msg) { m.Answer[0].Header().Name = "Web.alpha.svc.c1.lan." },
		"owner not renamed":  func(m *dns.Msg) { m.Extra[0].Header().Name = "web.alpha.svc.cluster.local." },
		"target not renamed": func(m *dns.Msg) { m.Answer[0].(*dns.SRV).Target = "web.alpha.svc.cluster.local." },
		"weight":             func(m *dns.Msg) { m.Answer[0].(*dns.SRV).Weight++ },
		"TTL":                func(m *dns.Msg) { m.Answer[0].Header().Ttl++ },
		"address":            func(m *dns.Msg) { m.Extra[0].(*dns.A).A = net.IP{10, 101, 0, 2} },
		"section":            func(m *dns.Msg) { m.Ns, m.Extra = m.Extra[:1], m.Extra[1:] },
		"EDNS":               func(m *dns.Msg) { m.Extra = withoutEDNS(m.Extra) },
		"EDNS size":          func(m *dns.Msg) { m.IsEdns0().SetUDPSize(512) },
		"extended error": func(m *dns.Msg) {
			m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeStaleAnswer})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newComparison(t, "resolve", silent, silent)
			q := question{prefix: "_http._tcp.web.alpha.svc.", qtype: dns.TypeSRV}
			theirs := reply(q.theirName(), "web.alpha.svc.cluster.local.")
			ours := reply(q.ourName(), "web.alpha.svc.c1.lan.")
			if d := c.difference(q, plain, theirs, ours); d != nil {
				t.Fatalf("equal replies differ: %s", d)
			}
			breaking(ours)
			if c.difference(q, plain, theirs, ours) == nil {
				t.Error("not seen")
			}
		})
	}
}

// TestNoReplyIsSeen: a server that says nothing isn't equal to one that does.
func TestNoReplyIsSeen(t *testing.T) {
	c := newComparison(t, "resolve", silent, silent)
	q := question{prefix: "web.alpha.svc.", qtype: dns.TypeSRV}
	if c.difference(q, plain, reply(q.theirName(), "x."), silence()) == nil || c.difference(q, plain, silence(), reply(q.ourName(), "x.")) == nil {
		t.Error("not seen")
	}
}

// TestStaleIsSeen: an exception that is needed once isn't stale, the others are.
func TestStaleIsSeen(t *testing.T) {
	c := newComparison(t, "resolve", silent, silent)
	q := question{prefix: "missing.alpha.svc.", qtype: dns.TypeA}
	if d := c.difference(q, plain, denial(q.theirName(), 1), denial(q.ourName(), 2)); d != nil {
		t.Fatalf("another serial: %s", d)
	}
	stale := c.stale()
	if slices.Contains(stale, "serial") || len(stale) != len(c.exceptions)-1 {
		t.Errorf("stale: %q", stale)
	}
}

// TestExceptionIsNarrow: what an exception excuses doesn't excuse more beside it.
func TestExceptionIsNarrow(t *testing.T) {
	c := newComparison(t, "resolve", silent, silent)
	q := question{prefix: "missing.alpha.svc.", qtype: dns.TypeA}
	ours := denial(q.ourName(), 2)
	ours.Ns[0].(*dns.SOA).Minttl++
	if c.difference(q, plain, denial(q.theirName(), 1), ours) == nil {
		t.Error("another minimum passes with another serial")
	}
}

// TestSliceOfNoService: kubernetes is silent for the address of a slice of no
// Service. What other slices say of the address is wanted, and nothing else.
func TestSliceOfNoService(t *testing.T) {
	const address = "10.51.30.27"
	web := []discovery.EndpointSlice{
		*slice("alpha", "web-1", "web", ipv4, ready(address), notReady("not-ready", address), ready("10.51.30.28")),
		*slice("beta", "db-1", "db", ipv4, hosted("db-0", address)),
		*slice("alpha", "nobody-1", "", ipv4, ready(address)),
	}
	right := []string{"10-51-30-27.web.alpha.svc.c1.lan.", "db-0.db.beta.svc.c1.lan."}
	for name, tt := range map[string]struct {
		mode   string
		slices []discovery.EndpointSlice
		qtype  uint16
		rcode  int
		names  []string
		equal  bool
	}{
		"of Services too":            {"resolve", web, dns.TypePTR, dns.RcodeSuccess, right, true},
		"one left out":               {"resolve", web, dns.TypePTR, dns.RcodeSuccess, right[:1], false},
		"another one":                {"resolve", web[:1], dns.TypePTR, dns.RcodeSuccess, right, false},
		"denied":                     {"resolve", web, dns.TypePTR, dns.RcodeNameError, nil, false},
		"of no Service alone":        {"resolve", web[2:], dns.TypePTR, dns.RcodeSuccess, right, false},
		"forwarded":                  {"forward", web, dns.TypePTR, dns.RcodeServerFailure, nil, true},
		"forwarded, data's":          {"forward", web, dns.TypePTR, dns.RcodeSuccess, right, false},
		"another type":               {"resolve", web, dns.TypeA, dns.RcodeSuccess, nil, true},
		"another type, of none":      {"resolve", web[2:], dns.TypeA, dns.RcodeSuccess, nil, false},
		"another type, with records": {"resolve", web, dns.TypeA, dns.RcodeSuccess, right, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newComparison(t, tt.mode, silent, silent)
			c.objects.slices = tt.slices
			q := question{prefix: "27.30.51.10.in-addr.arpa.", zone: none, qtype: tt.qtype}
			ours := asked(q.prefix, tt.qtype)
			ours.Rcode, ours.Answer = tt.rcode, pointers(q.prefix, tt.names)
			theirs := silence()
			if tt.qtype != dns.TypePTR { // of which it knows nothing
				theirs = asked(q.prefix, tt.qtype)
				theirs.Rcode = dns.RcodeNameError
			}
			if d := c.difference(q, plain, theirs, ours); (d == nil) != tt.equal {
				t.Errorf("difference %v, want equal: %t", d, tt.equal)
			}
		})
	}
}

// silent is a server that nobody is at: these tests ask nothing.
var silent = &server{addr: theirIP + ":1"}

func asked(name string, qtype uint16) *dns.Msg {
	q := new(dns.Msg).SetQuestion(name, qtype)
	m := new(dns.Msg).SetReply(q)
	m.Authoritative = true
	return m
}

func reply(name, target string) *dns.Msg {
	m := asked(name, dns.TypeSRV)
	m.Answer = []dns.RR{
		&dns.SRV{Hdr: header(name, dns.TypeSRV), Weight: 50, Port: 80, Target: target},
		&dns.SRV{Hdr: header(name, dns.TypeSRV), Weight: 50, Port: 81, Target: target},
	}
	m.Extra = []dns.RR{&dns.A{Hdr: header(target, dns.TypeA), A: net.IP{10, 101, 0, 1}}}
	return m.SetEdns0(4096, false)
}

func denial(name string, number uint32) *dns.Msg {
	m := asked(name, dns.TypeA)
	zone := name[dns.Split(name)[dns.CountLabel(name)-2]:]
	m.Rcode = dns.RcodeNameError
	m.Ns = []dns.RR{&dns.SOA{Hdr: header(zone, dns.TypeSOA), Ns: "ns.dns." + zone, Mbox: "hostmaster." + zone, Serial: number}}
	return m
}
