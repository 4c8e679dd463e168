package clusterset

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// sized returns what a client is given that takes so many bytes over UDP, 0 without EDNS: the
// message as CoreDNS's server writes it, and its size.
func sized(t *testing.T, p *Clusterset, client string, size uint16, tcp bool, name string, qtype uint16) (m *dns.Msg, bytes int) {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	if size > 0 {
		q.SetEdns0(size, false)
	}
	w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: client, TCP: tcp})
	if _, err := p.ServeDNS(context.Background(), w, q); err != nil || w.Msg == nil {
		t.Fatal(w.Msg, err)
	}
	state := request.Request{W: w, Req: q}
	state.SizeAndDo(w.Msg)
	m = state.Scrub(w.Msg)
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return m, len(packed)
}

// dualStack are n members that have the service, with so many endpoints if it is headless.
func dualStack(n, endpoints int) []part {
	parts := make([]part, n)
	for i := range parts {
		c := cluster(fmt.Sprintf("member-%02d", i), fmt.Sprintf("10.%d.0.0/16", i))
		c.ServiceCIDRs = append(c.ServiceCIDRs, netip.MustParsePrefix(fmt.Sprintf("fd00:%x::/32", i+1)))
		v6 := netip.MustParseAddr(fmt.Sprintf("fd00:%x::1", i+1))
		parts[i] = part{c, exports(max(endpoints, 1), 0, func(s *model.Service) {
			s.ClusterIPs = append(s.ClusterIPs, v6)
			if endpoints > 0 {
				s.Type, s.ClusterIPs = model.Headless, nil
			}
		}, fmt.Sprintf("10.%d.0.1", i)), nil}
	}
	return parts
}

// TestOversetSizes: over UDP, as many members answer as the client takes, and only one alone
// may be too large.
func TestOversetSizes(t *testing.T) {
	merged := oversetOptions()
	merged.affinity = model.AffinityNone
	fifty, ten := newOverset(t, merged, "", nil, dualStack(50, 0)...), newOverset(t, merged, "", nil, dualStack(10, 20)...)
	one := newOverset(t, merged, "", nil, dualStack(1, 200)...)
	asks := make([]part, 4)
	for i := range asks {
		var records []string
		for j := range 30 {
			host := fmt.Sprintf("h%d.web.shop.svc.cluster.local.", j)
			records = append(records, fmt.Sprintf("web.shop.svc.cluster.local. 5 IN A 10.%d.0.%d", i, j), fmt.Sprintf("%s 5 IN A 10.%d.0.%d", host, i, j),
				"web.shop.svc.cluster.local. 5 IN SRV 0 100 80 "+host)
		}
		asks[i] = part{cluster(fmt.Sprintf("member-%d", i), fmt.Sprintf("10.%d.0.0/16", i)), nil, zoneOf(t, records...)}
	}
	byDNS := newOverset(t, merged, "", nil, asks...)
	for _, test := range []struct {
		name      string
		p         *Clusterset
		qtype     uint16
		size      uint16
		tcp       bool
		least     int // records
		most      int
		truncated bool
	}{
		{"all fit", fifty, dns.TypeA, 1232, false, 50, 50, false},
		{"all but a few", fifty, dns.TypeAAAA, 1232, false, 40, 43, false},
		{"without EDNS", fifty, dns.TypeA, 0, false, 26, 29, false},
		{"all over TCP", fifty, dns.TypeAAAA, 1232, true, 50, 50, false},
		{"all of a large size", fifty, dns.TypeAAAA, 4096, false, 50, 50, false},
		{"one SRV record, and addresses", fifty, dns.TypeSRV, 1232, false, 1, 1, false},
		{"headless", ten, dns.TypeA, 1232, false, 60, 60, false},
		{"headless, SRV", ten, dns.TypeSRV, 4096, false, 20, 60, false},
		{"headless, SRV, over TCP", ten, dns.TypeSRV, 1232, true, 200, 200, false},
		{"one alone", one, dns.TypeA, 1232, false, 60, 80, true},
		{"by DNS", byDNS, dns.TypeA, 1232, false, 60, 60, false},
		{"by DNS, SRV", byDNS, dns.TypeSRV, 4096, false, 30, 60, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, bytes := sized(t, test.p, "192.0.2.1", test.size, test.tcp, overset, test.qtype)
			if !test.tcp && bytes > int(max(test.size, 512)) {
				t.Errorf("%d bytes", bytes)
			}
			if n := len(m.Answer); n < test.least || n > test.most || m.Truncated != test.truncated {
				t.Errorf("%d records, TC %v; want %d to %d, %v", n, m.Truncated, test.least, test.most, test.truncated)
			}
		})
	}
}

// TestOversetSizesDiffer: who is left out differs from client to client, and what a client
// takes over UDP stays the same.
func TestOversetSizesDiffer(t *testing.T) {
	o := oversetOptions()
	o.affinity = model.AffinityNone
	p := newOverset(t, o, "", nil, dualStack(50, 0)...)
	given := make(map[string]bool)
	for client := range 40 {
		from := net.IPv4(192, 0, 2, byte(client)).String()
		m, _ := sized(t, p, from, 1232, false, overset, dns.TypeAAAA)
		for _, rr := range m.Answer {
			given[rr.(*dns.AAAA).AAAA.String()] = true
		}
		again, _ := sized(t, p, from, 1232, false, overset, dns.TypeAAAA)
		if a, b := answersOf(m), answersOf(again); a != b {
			t.Errorf("%s: %s, then %s", from, a, b) // once in an hour, at a window's edge
		}
	}
	if len(given) != 50 {
		t.Errorf("of 50 members, %d are given", len(given))
	}
}
