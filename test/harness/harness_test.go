//go:build e2e

package harness

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

const saidWell = `Statistics:

  Queries sent:         6000
  Queries completed:    6000 (100.00%)
  Queries lost:         0 (0.00%)

  Response codes:       NOERROR 6000 (100.00%)
  Average Latency (s):  0.000200 (min 0.000030, max 0.011000)
`

// TestJudge: no lost query and no reply but NOERROR gets by, nor too few.
func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name, old, new string // what is said in place of what
		want           string // of the error; "" for none
	}{
		{"well", "", "", ""},
		{"lost", "lost:         0", "lost:         1", "1 queries lost"},
		{"a SERVFAIL", "NOERROR 6000 (100.00%)", "NOERROR 5999 (99.98%), SERVFAIL 1 (0.02%)", "SERVFAIL 1"},
		{"nothing but SERVFAIL", "NOERROR 6000", "SERVFAIL 6000", "SERVFAIL 6000"},
		{"few", "completed:    6000", "completed:    4999", "want 5000 at least"},
		{"nothing", saidWell, "no server", "no server"},
	} {
		replies, err := judge(strings.Replace(saidWell, test.old, test.new, 1), 5000)
		switch {
		case test.want == "" && (err != nil || replies != 6000):
			t.Errorf("%s: %d replies, error %v", test.name, replies, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	if got := find(slowestLine, saidWell); got != "0.011000" {
		t.Errorf("slowest %q", got)
	}
}

func TestParseMetrics(t *testing.T) {
	series, err := parseMetrics(strings.NewReader("# HELP a b\na{x=\"1 2\",y=\"3\"} 4\nb 1e+06\n\n"))
	if err != nil || len(series) != 2 || series[`a{x="1 2",y="3"}`] != 4 || series["b"] != 1e6 {
		t.Errorf("%v, error %v", series, err)
	}
	if _, err := parseMetrics(strings.NewReader("a nonsense\n")); err == nil {
		t.Error("no error for a value that isn't a number")
	}
}

// TestTail: the end of a log is what is shown, and no queries.
func TestTail(t *testing.T) {
	var log strings.Builder
	for i := range 100 {
		fmt.Fprintf(&log, "[INFO] plugin/x: line %d\n[INFO] 127.0.0.1:1 - 1 \"A IN a. udp 1\"\n", i)
	}
	log.WriteString(strings.Repeat("x", 5000))
	lines := strings.Split(strings.TrimSpace(tail(log.String())), "\n")
	if len(lines) != tailLines || lines[0] != "[INFO] plugin/x: line 41" || len(lines[59]) > lineBytes+3 {
		t.Errorf("%d lines from %q to %d bytes", len(lines), lines[0], len(lines[len(lines)-1]))
	}
	if got := tail("a\nb\n"); got != "a\nb\n" {
		t.Errorf("a short one: %q", got)
	}
}

func TestCount(t *testing.T) {
	lines := []string{"a b", "b c", "a c b"}
	for want, words := range [][]string{{"d"}, {"c", "a"}, {"c"}, {"b"}} {
		if got := Count(lines, words...); got != want {
			t.Errorf("%q: %d, want %d", words, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	m := new(dns.Msg).SetQuestion("a.", dns.TypeA).SetEdns0(1232, false)
	m.Rcode = dns.RcodeServerFailure
	m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNotReady, ExtraText: "why"})
	if short, why := Describe(m); short != "SERVFAIL EDE14" || why != "why" {
		t.Errorf("%q %q", short, why)
	}
	for _, ip := range []string{"10.0.0.2", "10.0.0.1"} {
		m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: "a.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: net.ParseIP(ip)})
	}
	if short, _ := Describe(m); short != "SERVFAIL EDE14 5 10.0.0.1 10.0.0.2" {
		t.Errorf("%q", short)
	}
}

// TestProber: what is wrong once is seen.
func TestProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		p := Probe(func() error {
			if n++; n == 2 {
				return fmt.Errorf("wrong")
			}
			return nil
		})
		<-time.After(2*pollPause + 1) // of the bubble's time: three looks
		failed := new(recorder)
		if got := p.End(failed); got != 3 || len(failed.errors) != 1 || !strings.Contains(failed.errors[0], "1 of 3 ") {
			t.Errorf("%d looks, %q", got, failed.errors)
		}
	})
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	errors []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// ip is this package's own.
const ip = "127.0.123.1"

// TestServer takes one through its life: it answers, is ready, tells its metrics,
// reloads, fails to, keeps its log through a stop, and is told when it ended
// badly.
func TestServer(t *testing.T) {
	s := StartServer(t, "whoami", ip, "whoami", nil)
	Eventually(t, StartLimit, "ready", s.IsReady)
	Eventually(t, StartLimit, "answer", func() error { return s.Answers("a.", "NOERROR") })
	s.AwaitMetrics(t, StartLimit, map[string]float64{"coredns_panics_total": 0})
	s.AwaitReleased(t, s.Resources())
	s.Reload()
	good := s.Read("Corefile")
	s.Write("Corefile", "nonsense {")
	s.FailToReload()
	s.Write("Corefile", good)
	s.Stop()
	s.Start()
	Eventually(t, StartLimit, "answer", func() error { s.Running(); return s.Answers("a.", "NOERROR") })
	if n := s.Logged("[INFO] ", Reloaded); n != 1 {
		t.Errorf("%d reloads in the log, want 1", n)
	}
	failed := &recorder{TB: t}
	s.t = failed
	s.program.Kill()
	s.Stop()
	s.t = t
	if len(failed.errors) != 1 || !slices.ContainsFunc(failed.errors, func(e string) bool { return strings.Contains(e, "killed") }) {
		t.Errorf("killed: told %q", failed.errors)
	}
}
