package query

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func rr(t testing.TB, text string) dns.RR {
	t.Helper()
	record, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestRename(t *testing.T) {
	renaming := Renaming{
		Asked: "DB.default.C1.lan.", AskedOf: "DB.default.svc.cluster.local.",
		Domain: "cluster.local.", Suffix: "C1.lan.",
	}
	tests := []struct{ name, given, answer, other string }{
		{"the name asked", "db.default.svc.cluster.local. 5 IN A 10.0.0.1", "DB.default.C1.lan. 5 IN A 10.0.0.1", "db.default.svc.C1.lan. 5 IN A 10.0.0.1"},
		{"another owner", "a.b.svc.CLUSTER.local. 5 IN A 10.0.0.1", "a.b.svc.c1.lan. 5 IN A 10.0.0.1", "a.b.svc.C1.lan. 5 IN A 10.0.0.1"},
		{"SRV", "x.svc.cluster.local. 5 IN SRV 1 2 3 db.default.svc.cluster.local.", "x.svc.c1.lan. 5 IN SRV 1 2 3 db.default.svc.C1.lan.", "x.svc.C1.lan. 5 IN SRV 1 2 3 db.default.svc.C1.lan."},
		{"CNAME within", "x.svc.cluster.local. 5 IN CNAME y.svc.cluster.local.", "x.svc.c1.lan. 5 IN CNAME y.svc.c1.lan.", "x.svc.C1.lan. 5 IN CNAME y.svc.c1.lan."},
		{"CNAME that leads out", "x.svc.cluster.local. 5 IN CNAME www.example.com.", "x.svc.c1.lan. 5 IN CNAME www.example.com.", "x.svc.C1.lan. 5 IN CNAME www.example.com."},
		{"NS", "cluster.local. 5 IN NS ns.dns.cluster.local.", "c1.lan. 5 IN NS ns.dns.C1.lan.", "C1.lan. 5 IN NS ns.dns.C1.lan."},
		{"MX", "cluster.local. 5 IN MX 1 m.cluster.local.", "c1.lan. 5 IN MX 1 m.C1.lan.", "C1.lan. 5 IN MX 1 m.C1.lan."},
		{"SOA", "cluster.local. 5 IN SOA ns.dns.cluster.local. host.cluster.local. 1 2 3 4 5", "c1.lan. 5 IN SOA ns.dns.C1.lan. host.C1.lan. 1 2 3 4 5", "C1.lan. 5 IN SOA ns.dns.C1.lan. host.C1.lan. 1 2 3 4 5"},
		{"HTTPS", "x.svc.cluster.local. 5 IN HTTPS 1 y.svc.cluster.local.", "x.svc.c1.lan. 5 IN HTTPS 1 y.svc.C1.lan.", "x.svc.C1.lan. 5 IN HTTPS 1 y.svc.C1.lan."},
		{"SVCB", "x.svc.cluster.local. 5 IN SVCB 1 y.svc.cluster.local.", "x.svc.c1.lan. 5 IN SVCB 1 y.svc.C1.lan.", "x.svc.C1.lan. 5 IN SVCB 1 y.svc.C1.lan."},
		{"an owner outside", "www.example.com. 5 IN A 10.0.0.1", "", ""},
		{"an owner that only looks inside", "xcluster.local. 5 IN A 10.0.0.1", "", ""},
		{"a label with a dot in it", `x\.cluster.local. 5 IN A 10.0.0.1`, "", ""},
		{"a label that ends with a backslash", `x\\.cluster.local. 5 IN A 10.0.0.1`, `x\\.c1.lan. 5 IN A 10.0.0.1`, `x\\.C1.lan. 5 IN A 10.0.0.1`},
	}
	for _, tt := range tests {
		for section, rename := range map[string]func(dns.RR) bool{"answer": renaming.Answer, "other": renaming.Other} {
			t.Run(tt.name+"/"+section, func(t *testing.T) {
				want := tt.other
				if section == "answer" {
					want = tt.answer
				}
				record := rr(t, tt.given)
				if kept := rename(record); kept != (want != "") {
					t.Fatalf("kept: %v", kept)
				}
				if want != "" && record.String() != rr(t, want).String() {
					t.Errorf("got  %s\nwant %s", record, want)
				}
			})
		}
	}
}

// TestRenameLong: names get longer where the member's zone is longer here than there, and
// no message holds one of more than 255 bytes.
func TestRenameLong(t *testing.T) {
	labels := func(n int) string { return strings.Repeat("a2345678.", n/9) + strings.Repeat("b", n%9) + "." }
	suffix := "cluster.example."
	fits, long := labels(254-len(suffix)-1)+"k.", labels(254-len(suffix))+"k."
	renaming := Renaming{Asked: "x." + suffix, AskedOf: "x.k.", Domain: "k.", Suffix: suffix}
	if escapes := strings.Repeat(`\200.`, 100); !isName(escapes) || isName(escapes+escapes) {
		t.Error("escapes count as they are written")
	}
	for _, text := range []string{"x.k. 5 IN CNAME %s", "x.k. 5 IN SRV 1 2 3 %s", "x.k. 5 IN MX 1 %s", "x.k. 5 IN SOA %s h.k. 1 2 3 4 5", "%s 5 IN A 10.0.0.1"} {
		for name, want := range map[string]bool{fits: true, long: false} {
			for section, rename := range map[string]func(dns.RR) bool{"answer": renaming.Answer, "other": renaming.Other} {
				record := rr(t, fmt.Sprintf(text, name))
				if got := rename(record); got != want {
					t.Errorf("%s, %s of %d bytes: %v", section, text, len(name), got)
				}
				if _, err := dns.PackRR(record, make([]byte, 1024), 0, nil, false); want && err != nil {
					t.Errorf("%v: %v", record, err)
				}
			}
		}
	}
}

// TestRenamePTR: the owner is not of the member's domain, its target is.
func TestRenamePTR(t *testing.T) {
	name := "1.0.101.10.in-addr.arpa."
	renaming := Renaming{Asked: name, AskedOf: name, Domain: "cluster.local.", Suffix: "c1.lan."}
	record := rr(t, name+" 5 IN PTR db.default.svc.cluster.local.")
	if want := rr(t, name+" 5 IN PTR db.default.svc.c1.lan."); !renaming.Answer(record) || record.String() != want.String() {
		t.Errorf("got %s, want %s", record, want)
	}
	if renaming.Identity() {
		t.Error("a renaming that changes names isn't the identity")
	}
}
