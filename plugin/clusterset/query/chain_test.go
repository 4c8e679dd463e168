package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

const (
	chainName = "a.default.svc.cluster.local."
	short     = "c1.lan."
)

func texts(rrs []dns.RR) (all []string) {
	for _, rr := range rrs {
		all = append(all, strings.Join(strings.Fields(rr.String()), " "))
	}
	return all
}

// TestSelect: of an answer what is on the way from the question, in its order.
func TestSelect(t *testing.T) {
	in := func(text string) string { return strings.ReplaceAll(text, "+", ".default.svc.cluster.local.") }
	tests := []struct {
		name  string
		qtype uint16
		given []string
		want  []string
	}{
		{"one record", dns.TypeA, []string{"a+ 5 IN A 10.0.0.1"}, []string{"a+ 5 IN A 10.0.0.1"}},
		{"none", dns.TypeA, nil, nil},
		{"in any case", dns.TypeA, []string{"A.DEFAULT.svc.cluster.LOCAL. 5 IN A 10.0.0.1"}, []string{"A.DEFAULT.svc.cluster.LOCAL. 5 IN A 10.0.0.1"}},
		{"an owner nobody asked for", dns.TypeA, []string{"a+ 5 IN A 10.0.0.1", "b+ 5 IN A 10.0.0.2"}, []string{"a+ 5 IN A 10.0.0.1"}},
		{"the only owner is another", dns.TypeA, []string{"b+ 5 IN A 10.0.0.2"}, nil},
		{"a type nobody asked for", dns.TypeA, []string{"a+ 5 IN A 10.0.0.1", `a+ 5 IN TXT "x"`}, []string{"a+ 5 IN A 10.0.0.1"}},
		{"a chain", dns.TypeA, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME c+", "c+ 5 IN A 10.0.0.1"}, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME c+", "c+ 5 IN A 10.0.0.1"}},
		{"a chain out of order", dns.TypeA, []string{"c+ 5 IN A 10.0.0.1", "b+ 5 IN CNAME c+", "a+ 5 IN CNAME b+"}, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME c+", "c+ 5 IN A 10.0.0.1"}},
		{"a chain with others between", dns.TypeA, []string{"a+ 5 IN CNAME b+", "x+ 5 IN A 10.0.0.9", "b+ 5 IN A 10.0.0.1"}, []string{"a+ 5 IN CNAME b+", "b+ 5 IN A 10.0.0.1"}},
		{"a chain that leads out", dns.TypeA, []string{"a+ 5 IN CNAME www.example.org.", "www.example.org. 5 IN A 10.0.0.9"}, []string{"a+ 5 IN CNAME www.example.org."}},
		{"a chain that comes back", dns.TypeA, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME a+"}, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME a+"}},
		{"the same out of order", dns.TypeA, []string{"b+ 5 IN CNAME a+", "a+ 5 IN CNAME b+"}, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME a+"}},
		{"a CNAME to itself", dns.TypeA, []string{"a+ 5 IN CNAME a+"}, []string{"a+ 5 IN CNAME a+"}},
		{"two CNAMEs", dns.TypeA, []string{"a+ 5 IN CNAME b+", "a+ 5 IN CNAME c+", "c+ 5 IN A 10.0.0.1"}, []string{"a+ 5 IN CNAME b+"}},
		{"a CNAME beside an address", dns.TypeA, []string{"a+ 5 IN CNAME b+", "a+ 5 IN A 10.0.0.1", "b+ 5 IN A 10.0.0.2"}, []string{"a+ 5 IN A 10.0.0.1"}},
		{"an address beside a CNAME", dns.TypeA, []string{"a+ 5 IN A 10.0.0.1", "a+ 5 IN CNAME b+", "b+ 5 IN A 10.0.0.2"}, []string{"a+ 5 IN A 10.0.0.1"}},
		{"CNAME asked for", dns.TypeCNAME, []string{"a+ 5 IN CNAME b+", "b+ 5 IN CNAME c+"}, []string{"a+ 5 IN CNAME b+"}},
		{"ANY", dns.TypeANY, []string{"a+ 5 IN CNAME b+", `a+ 5 IN TXT "x"`, "b+ 5 IN A 10.0.0.1"}, []string{"a+ 5 IN CNAME b+", `a+ 5 IN TXT "x"`}},
		{"a DNAME above", dns.TypeA, []string{"default.svc.cluster.local. 5 IN DNAME other.svc.cluster.local.", "a+ 5 IN CNAME a.other.svc.cluster.local.", "a.other.svc.cluster.local. 5 IN A 10.0.0.1"}, []string{"a+ 5 IN CNAME a.other.svc.cluster.local.", "a.other.svc.cluster.local. 5 IN A 10.0.0.1"}},
		{"a signature", dns.TypeA, []string{"a+ 5 IN A 10.0.0.1", "a+ 5 IN RRSIG A 8 5 5 20300101000000 20260101000000 1 cluster.local. AAAA"}, []string{"a+ 5 IN A 10.0.0.1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, r := new(dns.Msg), Renaming{Asked: "a.default.c1.lan.", AskedOf: chainName, Domain: "cluster.local.", Suffix: short}
			for _, text := range tt.given {
				m.Answer = append(m.Answer, rr(t, in(text)))
			}
			r.Select(m, tt.qtype)
			var want []string
			for _, text := range tt.want {
				want = append(want, strings.Join(strings.Fields(rr(t, in(text)).String()), " "))
			}
			if got := texts(m.Answer); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestSelectOthers: of the other sections what belongs to the answer.
func TestSelectOthers(t *testing.T) {
	m := new(dns.Msg)
	m.Answer = []dns.RR{rr(t, chainName+" 5 IN SRV 0 100 80 b.cluster.local.")}
	m.Ns = []dns.RR{
		rr(t, "cluster.local. 5 IN SOA ns.cluster.local. h.cluster.local. 1 2 3 4 5"),
		rr(t, "local. 5 IN SOA ns.cluster.local. h.cluster.local. 1 2 3 4 5"),
		rr(t, "cluster.local. 5 IN NS ns.cluster.local."),
		rr(t, "local. 5 IN NS ns.cluster.local."),
		rr(t, "other.cluster.local. 5 IN NS x.cluster.local."),
		rr(t, "cluster.local. 5 IN A 10.0.0.1"),
		rr(t, "cluster.local. 5 IN RRSIG NS 8 2 5 20300101000000 20260101000000 1 cluster.local. AAAA"),
	}
	m.Extra = []dns.RR{
		rr(t, "B.cluster.local. 5 IN A 10.0.0.2"), rr(t, "ns.cluster.local. 5 IN AAAA fd00::2"), rr(t, "x.cluster.local. 5 IN A 10.0.0.3"),
		rr(t, `b.cluster.local. 5 IN TXT "x"`), &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}},
	}
	r := Renaming{Asked: "a.default.c1.lan.", AskedOf: chainName, Domain: "cluster.local.", Suffix: short}
	r.Select(m, dns.TypeSRV)
	if got := texts(m.Ns); len(got) != 1 || !strings.HasPrefix(got[0], "cluster.local. 5 IN SOA ") {
		t.Errorf("authority: %q", got)
	}
	if got := texts(m.Extra); len(got) != 1 || got[0] != "B.cluster.local. 5 IN A 10.0.0.2" {
		t.Errorf("additional: %q", got)
	}
}

// TestSelectWork: a long chain through thousands of records is hardly more work than a
// short one. (They were looked through for each of its names: 24 ms for a reply of 64 KB.)
func TestSelectWork(t *testing.T) {
	label := strings.Repeat("a", 60) + "."
	name := func(i int) string { return fmt.Sprintf("%s%s%02d.default.svc.cluster.local.", label, label, i) }
	took := func(links int) time.Duration {
		var rrs []dns.RR
		for range 4000 {
			rrs = append(rrs, &dns.A{Hdr: dns.RR_Header{Name: name(99), Rrtype: dns.TypeA, Class: dns.ClassINET}})
		}
		for i := range links {
			rrs = append(rrs, &dns.CNAME{Hdr: dns.RR_Header{Name: name(i), Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: name(i + 1)})
		}
		r, start := Renaming{Asked: name(0), AskedOf: name(0), Domain: "cluster.local.", Suffix: "cluster.local."}, time.Now()
		if kept, _ := r.chain(rrs, dns.TypeA); len(kept) != links {
			t.Fatalf("%d records", len(kept))
		}
		return time.Since(start)
	}
	clustertest.Tries(t, func() error {
		if short, long := took(1), took(maxChain-1); long > 8*short {
			return fmt.Errorf("%v, and %v", short, long)
		}
		return nil
	})
}

// TestChain: of any server's answer too; a DNAME only where the CNAME comes from it.
func TestChain(t *testing.T) {
	dname, cname, a := "b.test. 5 IN DNAME c.test.", "a.b.test. 5 IN CNAME a.c.test.", "a.c.test. 5 IN A 10.0.0.1"
	tests := []struct {
		name        string
		given, want []string
		end         string
	}{
		{"a DNAME", []string{dname, cname, a}, []string{dname, cname, a}, "a.c.test."},
		{"one that leads elsewhere", []string{"b.test. 5 IN DNAME d.test.", cname, a}, []string{cname, a}, "a.c.test."},
		{"one above without a CNAME", []string{"test. 5 IN DNAME x.", "a.b.test. 5 IN A 10.0.0.2"}, []string{"a.b.test. 5 IN A 10.0.0.2"}, "a.b.test."},
		{"of all names", []string{". 5 IN DNAME x.", cname, a}, []string{cname, a}, "a.c.test."},
		{"of the name itself", []string{"a.b.test. 5 IN DNAME a.c.test.", cname, a}, []string{cname, a}, "a.c.test."},
	}
	for _, tt := range tests {
		var given []dns.RR
		for _, text := range tt.given {
			given = append(given, rr(t, text))
		}
		got, end := Chain(given, "a.b.test.", dns.TypeA)
		if !slices.Equal(texts(got), tt.want) || end != tt.end {
			t.Errorf("%s: got %q to %s, want %q", tt.name, texts(got), end, tt.want)
		}
	}
}

// TestChainEnds: a reply that goes round as often as it has room for.
func TestChainEnds(t *testing.T) {
	m := new(dns.Msg)
	for range 1000 {
		m.Answer = append(m.Answer, rr(t, "a.cluster.local. 5 IN CNAME b.cluster.local."), rr(t, "b.cluster.local. 5 IN CNAME a.cluster.local."))
	}
	r := Renaming{Asked: "a.c1.lan.", AskedOf: "a.cluster.local.", Domain: "cluster.local.", Suffix: short}
	if r.Select(m, dns.TypeA); len(m.Answer) != 2 {
		t.Errorf("%d records", len(m.Answer))
	}
}

// TestSelectEffort: the largest reply is gone through a few times, not once for each of
// its records.
func TestSelectEffort(t *testing.T) {
	m, names := new(dns.Msg), 4000
	for i := range names {
		m.Answer = append(m.Answer, rr(t, fmt.Sprintf("n%d.cluster.local. 5 IN CNAME n%d.cluster.local.", (i+names/2)%names, (i+names/2+1)%names)))
		m.Extra = append(m.Extra, rr(t, fmt.Sprintf("m%d.cluster.local. 5 IN A 10.0.0.1", i)))
	}
	r := Renaming{Asked: "n0.c1.lan.", AskedOf: "n0.cluster.local.", Domain: "cluster.local.", Suffix: short}
	r.Select(m, dns.TypeA)
	if len(m.Answer) != maxChain || len(m.Extra) != 0 {
		t.Errorf("%d and %d records", len(m.Answer), len(m.Extra))
	}
}

func TestSelectAllocs(t *testing.T) {
	m := &dns.Msg{Answer: []dns.RR{rr(t, chainName+" 5 IN A 10.0.0.1"), rr(t, chainName+" 5 IN A 10.0.0.2")}}
	r := Renaming{Asked: "a.default.c1.lan.", AskedOf: chainName, Domain: "cluster.local.", Suffix: short}
	if n := testing.AllocsPerRun(100, func() { Clean(m); r.Select(m, dns.TypeA) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
