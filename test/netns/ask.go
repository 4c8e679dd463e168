//go:build e2e && linux

package netns

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Defaults of a question: a client that waits longer than the plugin does, with
// the EDNS size of DNS flag day 2020.
const (
	askTimeout = 5 * time.Second
	askSize    = 1232
)

// question is one to a CoreDNS.
type question struct {
	name    string
	qtype   uint16
	tcp     bool
	size    uint16        // of EDNS; 0 is askSize
	timeout time.Duration // 0 is askTimeout
}

// reply is the answer, and how long it took.
type reply struct {
	*dns.Msg
	took time.Duration
}

// ask asks the cluster's own DNS from inside the cluster.
func (c *cluster) ask(q question) (reply, error) { return c.askAt(c.dnsAddress(), q) }

// askAt asks the server at an address.
func (c *cluster) askAt(server string, q question) (reply, error) {
	conn, err := c.ns.dial(q.transport(), net.JoinHostPort(server, "53"), q.patience())
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	return q.over(conn)
}

// over sends the question and waits for its reply.
func (q question) over(conn net.Conn) (reply, error) {
	size := q.size
	if size == 0 {
		size = askSize
	}
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	m.SetEdns0(size, false)
	client := &dns.Client{Timeout: q.patience()}
	start := time.Now()
	answer, _, err := client.ExchangeWithConn(m, &dns.Conn{Conn: conn})
	return reply{answer, time.Since(start)}, err
}

func (q question) transport() string {
	if q.tcp {
		return "tcp"
	}
	return "udp"
}

func (q question) patience() time.Duration {
	if q.timeout == 0 {
		return askTimeout
	}
	return q.timeout
}

// mustAsk is ask, of a server that must answer.
func (c *cluster) mustAsk(t testing.TB, q question) reply {
	t.Helper()
	r, err := c.ask(q)
	if err != nil {
		t.Fatalf("%s: %s %s: %v", c.name, q.name, dns.TypeToString[q.qtype], err)
	}
	return r
}

// records are the answer's, sorted, without class and TTL: "a. A 10.0.0.1".
func (r reply) records() []string {
	var texts []string
	for _, rr := range r.Answer {
		h := rr.Header()
		data := strings.TrimPrefix(rr.String(), h.String())
		texts = append(texts, fmt.Sprintf("%s %s %s", h.Name, dns.TypeToString[h.Rrtype], data))
	}
	slices.Sort(texts)
	return texts
}

// reason is the extended error (RFC 8914), nil without one.
func (r reply) reason() *dns.EDNS0_EDE {
	if o := r.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if ede, ok := option.(*dns.EDNS0_EDE); ok {
				return ede
			}
		}
	}
	return nil
}

// podinfo is the name of the cluster's service.
func (c *cluster) podinfo() string { return "podinfo.default.svc." + c.name + ".lan." }

// metric is the value of a series of the cluster's CoreDNS, 0 while there is
// none. Labels are sorted by name.
func (c *cluster) metric(t testing.TB, series string) float64 { return c.sum(t, series+" ") }

// has returns an error where a series has another value.
func (c *cluster) has(t testing.TB, series string, want float64) error {
	t.Helper()
	if got := c.metric(t, series); got != want {
		return fmt.Errorf("%s is %v", series, got)
	}
	return nil
}

// sum is that of the series that begin like this.
func (c *cluster) sum(t testing.TB, series string) (sum float64) {
	t.Helper()
	conn, err := c.ns.dial("tcp", metricsAddress, askTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(askTimeout))
	fmt.Fprintf(conn, "GET /metrics HTTP/1.0\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, series) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += value
	}
	return sum
}
