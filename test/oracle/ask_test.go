//go:build e2e

package oracle

import (
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// way is how a question is asked.
type way struct {
	name    string
	network string
	// every is of how many questions one is asked so.
	every int
	edit  func(*dns.Msg)
}

var (
	plain   = way{name: "UDP", network: "udp", every: 1, edit: func(m *dns.Msg) { m.SetEdns0(4096, false) }}
	tcp     = way{name: "TCP", network: "tcp", every: 3, edit: func(m *dns.Msg) { m.SetEdns0(4096, false) }}
	without = way{name: "UDP without EDNS", network: "udp", every: 5, edit: func(*dns.Msg) {}}
	flags   = way{name: "UDP, other flags", network: "udp", every: 7, edit: func(m *dns.Msg) {
		m.RecursionDesired, m.CheckingDisabled, m.AuthenticatedData = false, true, true
		m.SetEdns0(1232, true)
	}}
)

// line is a kept connection to one server. One goroutine uses it at a time.
type line struct {
	way
	addr string
	// patience is how long a reply is waited for.
	patience time.Duration
	conn     *dns.Conn
}

func newLine(w way, s *server) *line {
	return &line{way: w, addr: s.addr, patience: harness.AskTimeout}
}

func (l *line) ask(name string, qtype uint16) (*dns.Msg, error) {
	client := dns.Client{Net: l.network, Timeout: l.patience, UDPSize: 4096}
	m := new(dns.Msg).SetQuestion(name, qtype)
	l.edit(m)
	if l.conn == nil {
		conn, err := client.Dial(l.addr)
		if err != nil {
			return nil, err
		}
		l.conn = conn
	}
	reply, _, err := client.ExchangeWithConn(m, l.conn)
	if err != nil { // what comes late must not be the next one's
		l.close()
	}
	return reply, err
}

// replyOf is silence where there is no reply.
func replyOf(l *line, name string, qtype uint16) *dns.Msg {
	m, err := l.ask(name, qtype)
	if err != nil {
		return silence()
	}
	return m
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// exchange asks once.
func exchange(w way, addr, name string, qtype uint16) (*dns.Msg, error) {
	l := newLine(w, &server{addr: addr})
	defer l.close()
	return l.ask(name, qtype)
}
