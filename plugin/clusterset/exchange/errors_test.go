package exchange

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestErrorTexts: a client gets our own words, and a log those from outside escaped,
// both of them cut.
func TestErrorTexts(t *testing.T) {
	const at = "[fd00::a]:853"
	u := &upstream{address: model.Upstream{Scheme: model.DoT, Addr: netip.MustParseAddrPort(at)}}
	foreign := errors.New("x509: valid for evil\n[FATAL] \x1b[31m\u202e\xff and " + strings.Repeat("a.example, ", 5000))
	long := strings.Repeat("a", 63) + "." + strings.Repeat("b", 63)
	tests := []struct {
		member, brief string
		errs          []error
		reason        Reason // where there are none
	}{
		{"c1", "member c1: tls://" + at + ": unreachable", []error{foreign}, 0},
		{"c1", "member c1: tls://" + at + ": unreachable; tls://" + at + ": no reply", []error{foreign, transport.ErrNoReply}, 0},
		{"c1", "member c1: tls://" + at + ": connection refused", []error{syscall.ECONNREFUSED}, 0},
		{"c1", "member c1: tls://" + at + ": answered FORMERR", []error{rcodeError(dns.RcodeFormatError)}, 0},
		{"c1", "member c1: tls://" + at + ": answered BADVERS", []error{rcodeError(dns.RcodeBadVers)}, 0},
		{"c1", "member c1: tls://" + at + ": answered rcode 3841", []error{rcodeError(3841)}, 0},
		{"c1", "member c1: tls://" + at + ": malformed reply", []error{wire.ErrMalformed}, 0},
		{"c1", "member c1: answered FORMERR", []error{foreign, transport.ErrNoReply, transport.ErrNoReply, rcodeError(dns.RcodeFormatError)}, 0},
		{"c1", "member c1: down", nil, Down},
		{"c1", "member c1: too many queries in flight", nil, Busy},
		{"c1", "member c1: too many look-ups", nil, Spent},
		{long, "member " + long[:76] + ": answered NOTIMP", []error{rcodeError(dns.RcodeNotImplemented)}, 0},
	}
	for _, tt := range tests {
		e := &Error{Member: tt.member, Reason: tt.reason}
		for _, err := range tt.errs {
			e.add(u, err)
		}
		if got := e.Brief(); len(got) > 100 || got != tt.brief {
			t.Errorf("brief %q (%d), want %q", got, len(got), tt.brief)
		}
		if got := e.Error(); len(got) > 256 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\x1b\u202e") || !strings.HasPrefix(got, "member "+tt.member+": ") {
			t.Errorf("error %q (%d)", got, len(got))
		}
	}
	if got, want := (quotedError{foreign}).Error(), `x509: valid for evil\n[FATAL] \x1b[31m\u202e\xff and a.example`; !strings.HasPrefix(got, want) || len(got) > 256 {
		t.Errorf("%q (%d)", got, len(got))
	}
}

// spentRecord says that the question of a query with that option has no more look-ups.
func spentRecord(code uint16) dns.RR {
	return &dns.RFC3597{Hdr: dns.RR_Header{Name: ".", Rrtype: code, Class: dns.ClassINET}}
}

// TestSpent: a failing reply with a record of the query's option's code is the question's
// own failure: nobody else is asked, and nobody is blamed.
func TestSpent(t *testing.T) {
	const code = dns.EDNS0LOCALSTART
	failing := func(rcode int, codes ...uint16) dns.HandlerFunc {
		return func(w dns.ResponseWriter, r *dns.Msg) {
			m := new(dns.Msg)
			m.SetRcode(r, rcode)
			if r.Question[0].Qtype == dns.TypeSOA {
				m.Rcode = dns.RcodeSuccess
			}
			m.SetEdns0(1232, false)
			for _, code := range codes {
				m.Extra = append(m.Extra, spentRecord(code))
			}
			_ = w.WriteMsg(m)
		}
	}
	tests := []struct {
		name   string
		first  dns.HandlerFunc
		option uint16
		spent  bool
	}{
		{"SERVFAIL", failing(dns.RcodeServerFailure, code), code, true},
		{"REFUSED, among others", failing(dns.RcodeRefused, code+1, code), code, true},
		{"another record", failing(dns.RcodeServerFailure, code+1), code, false},
		{"no record", failing(dns.RcodeServerFailure), code, false},
		{"none was sent", failing(dns.RcodeServerFailure, code), 0, false},
	}
	for _, tt := range tests {
		for _, tcp := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TCP %v", tt.name, tcp), func(t *testing.T) {
				c, _, two := serveTwo(t, Options{}, tt.first, clustertest.Zone(t, zone))
				q := question("web.default.svc.cluster.local.")
				q.TCP, q.EDNS = tcp, EDNS{Size: 1232, Option: Option{Code: tt.option, Data: "\x18"}}
				m, _, err := c.Exchange(t.Context(), q)
				if !tt.spent {
					wantAddress(t, m, err)
					return
				}
				wantReason(t, err, Spent)
				if n := two.UDP.Load() + two.TCP.Load(); n != 0 {
					t.Errorf("the next one was asked %d times", n)
				}
				one := c.upstreams[0]
				if one.health.suspected.Load() || one.health.probing.Load() || one.ejection.misses.Load() != 0 {
					t.Error("it is blamed")
				}
				for _, reason := range one.metrics.Failed {
					wantCount(t, "failed", reason, 0)
				}
			})
		}
	}
}

// TestSpentIsNotShared: of two questions that differ in the option alone, one may have
// more look-ups to make.
func TestSpentIsNotShared(t *testing.T) {
	const code = dns.EDNS0LOCALSTART
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	right := clustertest.Zone(t, zone)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype == dns.TypeSOA { // a probe
			right(w, r)
			return
		}
		option := r.IsEdns0().Option[0].(*dns.EDNS0_LOCAL)
		arrived <- struct{}{}
		<-release
		if option.Data[0] < 2 {
			right(w, r)
			return
		}
		m := new(dns.Msg)
		m.SetRcode(r, dns.RcodeServerFailure).SetEdns0(1232, false)
		m.Extra = append(m.Extra, spentRecord(code))
		_ = w.WriteMsg(m)
	})
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, server.Addr)
	done := make(chan error)
	for _, data := range []string{"\x01", "\x02"} {
		go func() {
			q := question("web.default.svc.cluster.local.")
			q.EDNS = EDNS{Size: 1232, Option: Option{Code: code, Data: data}}
			_, _, err := c.Exchange(t.Context(), q)
			if data == "\x02" {
				var failure *Error
				if !errors.As(err, &failure) || failure.Reason != Spent {
					err = fmt.Errorf("the spent one: %w", err)
				} else {
					err = nil
				}
			}
			done <- err
		}()
	}
	<-arrived
	<-arrived
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// brief is what a client is told of err.
func brief(err error) string {
	failure, _ := errors.AsType[*Error](err)
	return failure.Brief()
}
