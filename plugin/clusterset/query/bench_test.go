package query

import (
	"testing"

	"github.com/miekg/dns"
)

// BenchmarkParse is a Service's short name.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Parse("web.default.c1.lan.", len("lan."), members)
	}
}

// BenchmarkRecords is a name parsed and answered from data.
func BenchmarkRecords(b *testing.B) {
	d := data()
	for name, f := range map[string]*Form{
		"cluster IP": {Owner: "web.default.c1.lan.", Type: dns.TypeA},
		"long form":  {Owner: "web.default.svc.c1.lan.", Type: dns.TypeA},
		"headless":   {Owner: "db.default.c1.lan.", Type: dns.TypeA},
		"endpoint":   {Owner: "db-0.db.default.c1.lan.", Type: dns.TypeA},
		"SRV":        {Owner: "_http._tcp.web.default.c1.lan.", Type: dns.TypeSRV},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := Parse(f.Owner, len("lan."), members)
				n.Records(d, f)
			}
		})
	}
}
