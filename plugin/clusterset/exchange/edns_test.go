package exchange

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// refusing answers like answer where there is no EDNS, and else with what refuse makes of
// the query.
func refusing(refuse func(q *dns.Msg) [][]byte, answer func([]byte) []byte) clustertest.RawAnswers {
	return func(query []byte) [][]byte {
		q := new(dns.Msg)
		if q.Unpack(query) != nil {
			return nil
		}
		if q.IsEdns0() == nil {
			return [][]byte{answer(query)}
		}
		return refuse(q)
	}
}

// failing replies with rcode, as change has it.
func failing(rcode int, change func(*dns.Msg)) func(*dns.Msg) [][]byte {
	return func(q *dns.Msg) [][]byte {
		m := new(dns.Msg).SetRcode(q, rcode)
		change(m)
		b, err := m.Pack()
		if err != nil {
			panic(err)
		}
		return [][]byte{b}
	}
}

func plainly(*dns.Msg) {}

func headerOnly(m *dns.Msg) { m.Question = nil }

func withOPT(m *dns.Msg) { m.SetEdns0(1232, false) }

// echoing gives the query's own OPT back, with our option, as a server does that sets a
// bit in what it doesn't understand.
func echoing(q *dns.Msg) [][]byte {
	return failing(dns.RcodeFormatError, func(m *dns.Msg) { m.Extra = q.Extra })(q)
}

var refusals = map[string]func(*dns.Msg) [][]byte{
	"silence":                   func(*dns.Msg) [][]byte { return nil },
	"FORMERR":                   failing(dns.RcodeFormatError, plainly),
	"FORMERR, a header alone":   failing(dns.RcodeFormatError, headerOnly),
	"FORMERR, with OPT":         failing(dns.RcodeFormatError, withOPT),
	"FORMERR, with our OPT":     echoing,
	"NOTIMP":                    failing(dns.RcodeNotImplemented, plainly),
	"NOTIMP, a header alone":    failing(dns.RcodeNotImplemented, headerOnly),
	"BADVERS":                   failing(dns.RcodeBadVers, withOPT),
	"BADVERS, and no question":  nil, // below
	"FORMERR, and the question": failing(dns.RcodeFormatError, func(m *dns.Msg) { m.RecursionAvailable = true }),
}

// TestNoEDNS: an upstream that doesn't take EDNS is asked without, in the same query, and
// from then on at once; it is healthy all along, and when it takes EDNS, it gets it.
func TestNoEDNS(t *testing.T) {
	t.Parallel()
	delete(refusals, "BADVERS, and no question")
	for name, refuse := range refusals {
		for _, scheme := range []model.Scheme{model.DNS, model.TCP} {
			t.Run(fmt.Sprintf("%s over %s", name, scheme), func(t *testing.T) {
				t.Parallel()
				var takes atomic.Bool
				right := clustertest.Addresses(1)
				answers := refusing(func(q *dns.Msg) [][]byte {
					if takes.Load() {
						b, _ := q.Pack()
						return [][]byte{right(b)}
					}
					return refuse(q)
				}, right)
				s := clustertest.ServeRaw(t, answers, answers)
				c := newClientOf(t, scheme, nil, s.Addr)
				u := c.upstreams[0]
				q := func() (*dns.Msg, error) {
					q := question(askedName)
					q.Deadline = time.Now().Add(plenty)
					q.EDNS = EDNS{Size: DatagramSize, Option: Option{Code: dns.EDNS0LOCALSTART, Data: "\x01"}}
					m, _, err := c.Exchange(t.Context(), q)
					return m, err
				}
				if m, err := q(); err != nil || len(m.Answer) != 1 {
					t.Fatalf("at first: %v, %v", m, err)
				}
				if u.edns.until.Load() == 0 {
					t.Error("not remembered")
				}
				clustertest.WaitFor(t, func() bool { return !u.edns.probing.Load() })
				if u.edns.until.Load() < int64(u.edns.hold/2) {
					t.Error("not remembered when it was tested")
				}
				clustertest.Tries(t, func() error {
					before := s.UDP.Load() + s.TCP.Load()
					if m, err := q(); err != nil || len(m.Answer) != 1 {
						t.Errorf("then: %v, %v", m, err)
					}
					if n := s.UDP.Load() + s.TCP.Load() - before; n != 1 {
						return fmt.Errorf("%d messages", n)
					}
					return nil
				})
				if err := u.probe(t.Context()); err != nil || u.health.down.Load() {
					t.Errorf("its probe: %v", err)
				}
				takes.Store(true) // it was replaced
				u.edns.recheck()
				_, _ = q()
				clustertest.WaitFor(t, func() bool { return u.edns.until.Load() == 0 })
			})
		}
	}
}

// TestNoEDNSAtAll: an upstream that refuses both has failed, and so its probe.
func TestNoEDNSAtAll(t *testing.T) {
	for _, rcode := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented} {
		refuse := func(query []byte) [][]byte {
			q := new(dns.Msg)
			if q.Unpack(query) != nil {
				return nil
			}
			return failing(rcode, plainly)(q)
		}
		s := clustertest.ServeRaw(t, refuse, refuse)
		c, _ := newTestClient(t, Options{}, s.Addr)
		_, err := askSize(t, c, DatagramSize, false)
		wantReason(t, err, BadReply)
		if got := brief(err); !strings.HasSuffix(got, ": answered "+dns.RcodeToString[rcode]) {
			t.Errorf("%q", got)
		}
		if u := c.upstreams[0]; u.edns.until.Load() != 0 || u.probe(t.Context()) == nil {
			t.Error("taken for one that lacks EDNS")
		}
	}
}

// TestEDNSLost: a probe that was lost with EDNS, and answered without, isn't the end of
// it: it is tested at once.
func TestEDNSLost(t *testing.T) {
	var lose atomic.Bool
	right := clustertest.Addresses(1)
	answers := refusing(func(q *dns.Msg) [][]byte {
		if lose.Swap(false) {
			return nil
		}
		b, _ := q.Pack()
		return [][]byte{right(b)}
	}, right)
	c, _ := newTestClient(t, Options{}, clustertest.ServeRaw(t, answers, answers).Addr)
	u := c.upstreams[0]
	clustertest.Tries(t, func() error {
		lose.Store(true)
		return u.probe(t.Context())
	})
	clustertest.WaitFor(t, func() bool { return u.edns.until.Load() == 0 && !u.edns.probing.Load() })
}

// TestEDNSOfProbes: a probe carries what a query does.
func TestEDNSOfProbes(t *testing.T) {
	for _, scheme := range []model.Scheme{model.DNS, model.TCP} {
		probes := make(chan *dns.Msg, 100)
		right := clustertest.Addresses(1)
		answers := func(query []byte) [][]byte {
			q := new(dns.Msg)
			if q.Unpack(query) == nil {
				probes <- q
			}
			return [][]byte{right(query)}
		}
		s := clustertest.ServeRaw(t, answers, answers)
		c := newClientOf(t, scheme, nil, s.Addr)
		c.options.Probe = EDNS{Size: DatagramSize, Option: Option{Code: dns.EDNS0LOCALSTART, Data: "\x07"}}
		if err := c.upstreams[0].probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		o := (<-probes).IsEdns0()
		if o == nil || o.UDPSize() != DatagramSize || len(o.Option) != 1 || string(o.Option[0].(*dns.EDNS0_LOCAL).Data) != "\x07" {
			t.Errorf("%s: EDNS %v", scheme, o)
		}
	}
}
