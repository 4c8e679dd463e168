//go:build e2e

package harness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// AskTimeout is longer than the plugin's own, 2 s, so that it is the plugin that
// ends a query.
const AskTimeout = 3 * time.Second

// Ask asks with EDNS, over "udp" or "tcp", for A or, of a reverse name, PTR.
func (s *Server) Ask(network, name string) (*dns.Msg, error) {
	qtype := dns.TypeA
	if dns.IsSubDomain("in-addr.arpa.", name) {
		qtype = dns.TypePTR
	}
	return Ask(dns.Client{Net: network, Timeout: AskTimeout}, s.Addr, name, qtype)
}

// Answers is nil where the reply over UDP is one of those, as Describe has it,
// and the records are the name's own.
func (s *Server) Answers(name string, replies ...string) error {
	reply, err := s.Ask("udp", name)
	if err != nil {
		return err
	}
	if got, why := Describe(reply); !slices.Contains(replies, got) {
		return fmt.Errorf("%s: %s is %q, want %q (%s)", s.name, name, got, replies, why)
	}
	for _, rr := range reply.Answer {
		if rr.Header().Name != name {
			return fmt.Errorf("%s: %s: answered with %s", s.name, name, rr)
		}
	}
	return nil
}

// Want fails the test where the reply is another.
func (s *Server) Want(t testing.TB, name string, replies ...string) {
	t.Helper()
	if err := s.Answers(name, replies...); err != nil {
		t.Error(err)
	}
}

// Await waits for one of the replies, and gives how long it took.
func (s *Server) Await(t testing.TB, limit time.Duration, name string, replies ...string) time.Duration {
	t.Helper()
	return Eventually(t, limit, s.name+": "+name, func() error { return s.Answers(name, replies...) })
}

// Probe asks for the name until the prober's end; the reply has to be one of
// those.
func (s *Server) Probe(name string, replies ...string) *Prober {
	return Probe(func() error { return s.Answers(name, replies...) })
}

// Describe is a reply in short: its code, the code of its extended error (RFC
// 8914), the TTL of its answer in seconds and the values of its records, as
// "NOERROR EDE3 30 10.101.0.1" and "NXDOMAIN"; and the text of the extended
// error, "" where there is none.
func Describe(m *dns.Msg) (short, why string) {
	parts := []string{dns.RcodeToString[m.Rcode]}
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				parts, why = append(parts, fmt.Sprintf("EDE%d", e.InfoCode)), e.ExtraText
			}
		}
	}
	var values []string
	for _, rr := range m.Answer {
		values = append(values, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	if len(values) > 0 {
		parts = append(parts, fmt.Sprint(m.Answer[0].Header().Ttl))
	}
	slices.Sort(values)
	return strings.Join(append(parts, values...), " "), why
}
