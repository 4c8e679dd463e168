//go:build e2e

package configmap

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

// who is the service that every member has, at the member.
func who(member string) string { return "who.default." + member + ".lan." }

// ask asks the server with EDNS, for A or, of a reverse name, PTR.
func (s *server) ask(network, name string) (*dns.Msg, error) {
	qtype := dns.TypeA
	if dns.IsSubDomain("in-addr.arpa.", name) {
		qtype = dns.TypePTR
	}
	q := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(1232, false)
	client := dns.Client{Net: network, Timeout: askTimeout}
	reply, _, err := client.Exchange(q, s.addr)
	return reply, err
}

// answers compares the whole of a reply, as describe has it.
func (s *server) answers(name, want string) error {
	reply, err := s.ask("udp", name)
	if err != nil {
		return err
	}
	if got := describe(reply); got != want {
		return fmt.Errorf("%s: %q, want %q (%s)", name, got, want, explanation(reply))
	}
	for _, rr := range reply.Answer {
		if rr.Header().Name != name {
			return fmt.Errorf("%s: answered with %s", name, rr)
		}
	}
	return nil
}

// want fails the test where the reply is another.
func (s *server) want(name, reply string) {
	s.t.Helper()
	if err := s.answers(name, reply); err != nil {
		s.t.Error(err)
	}
}

// await waits for the reply, and gives how long it took.
func (s *server) await(t *testing.T, limit time.Duration, name, reply string) time.Duration {
	t.Helper()
	return eventually(t, limit, name, func() error { return s.answers(name, reply) })
}

// describe is a reply in short: its code, the code of its extended error, and
// its records' values, as "NOERROR 10.101.0.1" and "SERVFAIL EDE14".
func describe(m *dns.Msg) string {
	parts := []string{dns.RcodeToString[m.Rcode]}
	if e := extendedError(m); e != nil {
		parts = append(parts, fmt.Sprintf("EDE%d", e.InfoCode))
	}
	var values []string
	for _, rr := range m.Answer {
		values = append(values, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(values)
	return strings.Join(append(parts, values...), " ")
}

func extendedError(m *dns.Msg) *dns.EDNS0_EDE {
	o := m.IsEdns0()
	if o == nil {
		return nil
	}
	for _, option := range o.Option {
		if e, ok := option.(*dns.EDNS0_EDE); ok {
			return e
		}
	}
	return nil
}

// explanation is the text of the extended error.
func explanation(m *dns.Msg) string {
	if e := extendedError(m); e != nil {
		return e.ExtraText
	}
	return "no extended error"
}

// prober looks all the time and keeps everything wrong. It asks for one name,
// say, beside dnsperf, which doesn't look into replies.
type prober struct {
	stop  chan struct{}
	done  chan struct{}
	asked int
	wrong []error
}

func (s *server) probe(name, reply string) *prober {
	return startProber(func() error { return s.answers(name, reply) })
}

func startProber(look func() error) *prober {
	p := &prober{stop: make(chan struct{}), done: make(chan struct{})}
	go p.run(look)
	return p
}

func (p *prober) run(look func() error) {
	defer close(p.done)
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for {
		p.asked++
		if err := look(); err != nil {
			p.wrong = append(p.wrong, fmt.Errorf("%s %w", time.Now().Format("15:04:05.000"), err))
		}
		select {
		case <-p.stop:
			return
		case <-pause.C:
		}
	}
}

// end ends it, and fails the test where a reply was wrong.
func (p *prober) end(t *testing.T) (asked int) {
	t.Helper()
	close(p.stop)
	<-p.done
	if len(p.wrong) > 0 {
		t.Errorf("%d of %d looks found something wrong, the first: %v", len(p.wrong), p.asked, p.wrong[0])
	}
	return p.asked
}
