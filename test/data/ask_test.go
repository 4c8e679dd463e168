//go:build e2e

package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// askTimeout is longer than the plugin's own, 2 s, so that it is the plugin that
// ends a query.
const askTimeout = 3 * time.Second

// TTLs tell where an answer is from: freshTTL is what the servers are configured
// with, staleTTL the plugin's bound for stale answers (RFC 8767), dnsTTL that of
// the members' DNS.
const freshTTL, staleTTL, dnsTTL = 60, 30, 5

// name is that of a member's service.
func name(service, member string) string { return service + "." + namespace + "." + member + ".lan." }

// Replies, as describe has them.
const (
	missing   = "NXDOMAIN"
	notSynced = "SERVFAIL EDE14" // RFC 8914: Not Ready
	unknown   = "SERVFAIL EDE22" // No Reachable Authority
)

// fromData is the reply with fresh data, stale the one with those that nothing
// proves true (EDE 3: Stale Answer), fromDNS that of a member's DNS.
func fromData(addr string) string { return fmt.Sprintf("NOERROR %d %s", freshTTL, addr) }
func stale(addr string) string    { return fmt.Sprintf("NOERROR EDE3 %d %s", staleTTL, addr) }
func fromDNS(addr string) string  { return fmt.Sprintf("NOERROR %d %s", dnsTTL, addr) }

// ask asks the server for A, or of a reverse name PTR, with EDNS.
func (s *server) ask(name string) (*dns.Msg, error) {
	qtype := dns.TypeA
	if dns.IsSubDomain("in-addr.arpa.", name) {
		qtype = dns.TypePTR
	}
	client := dns.Client{Timeout: askTimeout}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, qtype).SetEdns0(1232, false), s.addr)
	return reply, err
}

// answers is nil where the reply is one of those, as describe has it.
func (s *server) answers(name string, replies ...string) error {
	reply, err := s.ask(name)
	if err != nil {
		return err
	}
	if got, why := describe(reply); !slices.Contains(replies, got) {
		return fmt.Errorf("%s: %s is %q, want %q (%s)", s.mode, name, got, replies, why)
	}
	for _, rr := range reply.Answer {
		if rr.Header().Name != name {
			return fmt.Errorf("%s: %s: answered with %s", s.mode, name, rr)
		}
	}
	return nil
}

// want fails the test where the reply is another.
func (s *server) want(t *testing.T, name string, replies ...string) {
	t.Helper()
	if err := s.answers(name, replies...); err != nil {
		t.Error(err)
	}
}

// await waits for the reply, and gives how long it took.
func (s *server) await(t *testing.T, limit time.Duration, name, reply string) time.Duration {
	t.Helper()
	return eventually(t, limit, s.mode+" "+name, func() error { return s.answers(name, reply) })
}

// describe is a reply in short: its code, the code of its extended error, the TTL
// and the values of its records, as "NOERROR EDE3 30 10.101.0.1" and "NXDOMAIN";
// and the text of the extended error.
func describe(m *dns.Msg) (short, why string) {
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
