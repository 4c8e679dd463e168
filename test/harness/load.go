//go:build e2e

package harness

import (
	"bytes"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Load is a running dnsperf.
type Load struct {
	server  string
	command *exec.Cmd
	least   int // replies
	lasts   time.Duration
	out     bytes.Buffer // read only after done
	done    chan error
}

// StartLoad asks the server for A of the names in turn, at a rate of that many
// queries per second, as long as lasts says, in whole seconds. Without dnsperf
// the test is skipped.
func (s *Server) StartLoad(t testing.TB, rate int, lasts time.Duration, names ...string) *Load {
	t.Helper()
	path, err := exec.LookPath("dnsperf")
	if err != nil {
		t.Skip("dnsperf is missing: apt-get install dnsperf")
	}
	queries := filepath.Join(t.TempDir(), "queries")
	WriteFile(t, queries, strings.Join(names, " A\n")+" A\n")
	at, seconds := netip.MustParseAddrPort(s.Addr), int(lasts.Seconds())
	l := &Load{server: s.name, least: rate * seconds / 2, lasts: lasts, done: make(chan error, 1)}
	l.command = exec.Command(path, "-s", at.Addr().String(), "-p", strconv.Itoa(int(at.Port())), "-d", queries,
		"-q", "20", "-Q", strconv.Itoa(rate), "-l", strconv.Itoa(seconds), "-t", "3")
	l.command.Stdout, l.command.Stderr = &l.out, &l.out
	if err := l.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { l.done <- l.command.Wait() }()
	t.Cleanup(func() { _ = l.command.Process.Kill() }) // of a test that failed before its end
	return l
}

// During fails the test where it has ended before what the words name.
func (l *Load) During(t testing.TB, what string) {
	t.Helper()
	if len(l.done) > 0 {
		t.Errorf("%s: the load ended before %s did", l.server, what)
	}
}

// End waits for its end, and fails the test where a query was lost or answered
// with anything but NOERROR. It gives the number of replies.
func (l *Load) End(t testing.TB) int {
	t.Helper()
	select {
	case err := <-l.done:
		if err != nil {
			t.Fatalf("dnsperf: %v\n%s", err, &l.out)
		}
	case <-time.After(l.lasts + 10*time.Second):
		t.Fatal("dnsperf does not end")
	}
	replies, err := judge(l.out.String(), l.least)
	if err != nil {
		t.Errorf("%s under load: %v", l.server, err)
	}
	t.Logf("%s under load: %d replies, the slowest after %s s", l.server, replies, find(slowestLine, l.out.String()))
	return replies
}

// Lines of what dnsperf says at its end.
var (
	completedLine = regexp.MustCompile(`Queries completed: +(\d+)`)
	lostLine      = regexp.MustCompile(`Queries lost: +(\d+)`)
	codesLine     = regexp.MustCompile(`Response codes: +(.*)`)
	slowestLine   = regexp.MustCompile(`Average Latency.*max ([0-9.]+)`)
	goodCodes     = regexp.MustCompile(`^NOERROR \d+ \(100\.00%\)$`)
)

// judge gives the number of replies, and an error where there are fewer than
// least, or one isn't NOERROR, or a query was lost.
func judge(said string, least int) (replies int, err error) {
	replies, err = strconv.Atoi(find(completedLine, said))
	if err != nil {
		return 0, fmt.Errorf("dnsperf says no number of replies:\n%s", said)
	}
	lost, codes := find(lostLine, said), find(codesLine, said)
	if lost != "0" || !goodCodes.MatchString(codes) {
		return replies, fmt.Errorf("%s queries lost, replies %s", lost, codes)
	}
	if replies < least {
		return replies, fmt.Errorf("%d replies, want %d at least: no load", replies, least)
	}
	return replies, nil
}

func find(line *regexp.Regexp, text string) string {
	if match := line.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}
