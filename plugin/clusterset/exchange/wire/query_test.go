package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// nameOf is a name of n bytes in a message, in labels of 63 where they fit.
func nameOf(n int) string {
	var b strings.Builder
	for n--; n > 0; { // the root's byte
		label := min(n-1, 63)
		b.WriteString(strings.Repeat("a", label) + ".")
		n -= label + 1
	}
	return b.String()
}

func question(name string) *Question {
	return &Question{Name: name, Type: dns.TypeA, RecursionDesired: true}
}

// message returns what a question is packed as.
func (q *Question) message() *dns.Msg {
	m := new(dns.Msg)
	m.RecursionDesired, m.AuthenticatedData, m.CheckingDisabled = q.RecursionDesired, q.AuthenticatedData, q.CheckingDisabled
	m.Question = []dns.Question{{Name: q.Name, Qtype: q.Type, Qclass: dns.ClassINET}}
	if q.EDNS.Size == 0 {
		return m
	}
	size := uint16(dns.MinMsgSize)
	if q.EDNS.Size >= DatagramSize {
		size = DatagramSize
	}
	m.SetEdns0(size, q.EDNS.DO)
	if o := q.EDNS.Option; o.Code != 0 {
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: o.Code, Data: []byte(o.Data)}}
	}
	return m
}

// TestPack: a query packs to the bytes that miekg/dns makes of the same message,
// also into a buffer that was used before.
func TestPack(t *testing.T) {
	option := Option{Code: dns.EDNS0LOCALSTART, Data: "\x01"}
	tests := []struct {
		name  string
		query Question
	}{
		{"plain", Question{Name: "web.default.svc.cluster.local.", Type: dns.TypeA}},
		{"root", Question{Name: ".", Type: dns.TypeNS}},
		{"one label", Question{Name: "a.", Type: dns.TypeA}},
		{"upper case", Question{Name: "WEB.default.svc.Cluster.local.", Type: dns.TypeA}},
		{"a dot in a label", Question{Name: `a\.b.cluster.local.`, Type: dns.TypeA}},
		{"a backslash in a label", Question{Name: `a\\.cluster.local.`, Type: dns.TypeA}},
		{"escapes", Question{Name: `\"\(\;\@\$.\000\255\046.cluster.local.`, Type: dns.TypeA}},
		{"a long label", Question{Name: strings.Repeat("a", 63) + ".", Type: dns.TypeA}},
		{"a long label of escapes", Question{Name: strings.Repeat(`\200`, 63) + ".", Type: dns.TypeA}},
		{"a long name", Question{Name: nameOf(255), Type: dns.TypeTXT, EDNS: EDNS{Size: MaxSize, Option: option}}},
		{"every bit", Question{Name: "a.", Type: dns.TypeANY, RecursionDesired: true, AuthenticatedData: true, CheckingDisabled: true}},
		{"RD", Question{Name: "a.", Type: dns.TypeSRV, RecursionDesired: true}},
		{"AD", Question{Name: "a.", Type: dns.TypeSRV, AuthenticatedData: true}},
		{"CD", Question{Name: "a.", Type: 65280, CheckingDisabled: true}},
		{"EDNS", Question{Name: "a.", Type: dns.TypeA, EDNS: EDNS{Size: 512}}},
		{"DO", Question{Name: "a.", Type: dns.TypeA, EDNS: EDNS{Size: 1232, DO: true}}},
		{"an option", Question{Name: "a.", Type: dns.TypeA, EDNS: EDNS{Size: 1232, Option: option}}},
		{"an option without data", Question{Name: "a.", Type: dns.TypeA, EDNS: EDNS{Size: 1232, Option: Option{Code: 65001}}}},
		{"a large option", Question{Name: "a.", Type: dns.TypeA, EDNS: EDNS{Size: 1232, Option: Option{65001, strings.Repeat("x", querySize)}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, err := tt.query.message().Pack()
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				w, err := Pack(&tt.query)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(w.msg, want) {
					t.Errorf("packed\n%x, want\n%x", w.msg, want)
				}
				reply := bytes.Clone(want)
				reply[2] |= flagQR >> 8
				if !w.AnsweredBy(reply, false) {
					t.Error("not answered by its own question")
				}
				for i := range w.msg { // what is left of it may not show in the next
					w.msg[i] = 0xff
				}
				w.Free()
			}
		})
	}
}

// TestUnsendable: what isn't a name of a message can't be packed.
func TestUnsendable(t *testing.T) {
	tests := []struct{ name, qname string }{
		{"no name", ""},
		{"not fully qualified", "cluster.local"},
		{"an escaped end", `cluster.local\.`},
		{"an empty label", "a..cluster.local."},
		{"an empty first label", ".cluster.local."},
		{"a label too long", strings.Repeat("a", 64) + "."},
		{"a label of escapes too long", strings.Repeat(`\200`, 64) + "."},
		{"a name too long by one byte", nameOf(256)},
		{"a name too long", nameOf(1000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Pack(question(tt.qname)); err == nil {
				t.Error("packed")
			}
		})
	}
}
