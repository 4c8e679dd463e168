//go:build e2e && linux

package resolvers

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// family is what a resolver speaks, to servers and with its clients.
type family struct {
	name, address string
	named, other  string // an option of named; the family that Unbound is to leave
}

var families = []family{{"IPv4", "127.0.0.1", "-4", "6"}, {"IPv6", "::1", "-6", "4"}}

// resolver is a running BIND or Unbound.
type resolver struct {
	t    *testing.T
	addr string
}

// bind starts named with these options, beside what it needs here, and these zones.
func bind(t *testing.T, f family, options, more string) *resolver {
	t.Helper()
	addr := harness.FreeAddr(t, f.address)
	config := fmt.Sprintf(`options {
    directory ".";
    pid-file none;
    session-keyfile none;
    lock-file none;
    listen-on port %[1]d { 127.0.0.1; };
    listen-on-v6 port %[1]d { ::1; };
    recursion yes;
    request-nsid yes; # an EDNS option, beside the cookie that it sends anyway
    %[2]s
};
controls {};
zone "." { type hint; file "hints"; };
%[3]s
`, addr.Port(), options, more)
	return start(t, addr.String(), config, "named", f.named, "-g", "-c", "config")
}

// unbound starts Unbound with these lines.
func unbound(t *testing.T, f family, lines string) *resolver {
	t.Helper()
	addr := harness.FreeAddr(t, f.address)
	config := fmt.Sprintf(`server:
    interface: %s@%d
    do-ip%s: no
    directory: "."
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    num-threads: 1
    root-hints: hints
    do-not-query-localhost: no # where the root is, here
remote-control:
    control-enable: no
%s
`, addr.Addr(), addr.Port(), f.other, lines)
	return start(t, addr.String(), config, "unbound", "-d", "-c", "config")
}

func start(t *testing.T, addr, config string, program ...string) *resolver {
	t.Helper()
	dir := t.TempDir()
	harness.WriteFile(t, filepath.Join(dir, "config"), config)
	harness.WriteFile(t, filepath.Join(dir, "hints"), hints)
	r := &resolver{t: t, addr: addr}
	command := exec.Command(program[0], program[1:]...)
	command.Dir = dir
	running, err := harness.Run(command, filepath.Join(dir, "log"))
	if err != nil {
		t.Fatalf("%v: it is a package of CI's", err)
	}
	t.Cleanup(func() {
		running.Kill()
		if text := running.Log(); t.Failed() {
			t.Logf("%s\n%s", config, text[max(0, len(text)-4000):])
		}
	})
	harness.Eventually(t, harness.StartLimit, program[0], func() error {
		_, err := r.ask("udp", "localhost.", dns.TypeA)
		return err
	})
	return r
}

func (r *resolver) ask(network, name string, qtype uint16) (*dns.Msg, error) {
	return harness.Ask(dns.Client{Net: network, Timeout: 10 * time.Second}, r.addr, name, qtype)
}

// want fails the test where the reply is another.
func (r *resolver) want(c nameCase) {
	r.t.Helper()
	reply, err := r.ask("udp", c.name, c.qtype)
	if err != nil {
		r.t.Errorf("%s %s: %v", c.name, dns.TypeToString[c.qtype], err)
		return
	}
	got, why := describe(reply)
	if got != c.want {
		r.t.Errorf("%s %s: %s, want %s (%s)", c.name, dns.TypeToString[c.qtype], got, c.want, why)
	}
}

// describe is a reply's code with its records' data, without their TTLs.
func describe(m *dns.Msg) (short, why string) {
	for _, rr := range m.Answer {
		rr.Header().Ttl = 0
	}
	short, why = harness.Describe(m)
	code, data, _ := strings.Cut(short, " ") // names have the case in which they were asked for upstream
	return strings.TrimSpace(code + " " + strings.TrimPrefix(strings.ToLower(data), "0 ")), why
}

// loopbackOnly fails the test where the namespace has a way out.
func loopbackOnly(t *testing.T) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil || len(all) != 1 || all[0].Flags&net.FlagLoopback == 0 {
		t.Fatalf("not alone: %v, %v", all, err)
	}
}
