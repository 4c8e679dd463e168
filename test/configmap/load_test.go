//go:build e2e

package configmap

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// rate is the queries per second of a load: enough that any gap is hit, and half
// of what the machine can do.
const rate = 3000

// load is a running dnsperf.
type load struct {
	t       *testing.T
	command *exec.Cmd
	seconds int
	out     bytes.Buffer
	done    chan error
}

// startLoad asks the server for name for some seconds. Without dnsperf the test
// is skipped.
func startLoad(s *server, name string, seconds int) *load {
	s.t.Helper()
	path, err := exec.LookPath("dnsperf")
	if err != nil {
		s.t.Skip("dnsperf is missing: apt-get install dnsperf")
	}
	queries := filepath.Join(s.t.TempDir(), "queries")
	if err := os.WriteFile(queries, []byte(name+" A\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &load{t: s.t, seconds: seconds, done: make(chan error, 1)}
	l.command = exec.Command(path, "-s", host, "-p", port, "-d", queries,
		"-q", "20", "-Q", strconv.Itoa(rate), "-l", strconv.Itoa(seconds), "-t", "3")
	l.command.Stdout, l.command.Stderr = &l.out, &l.out
	if err := l.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { l.done <- l.command.Wait() }()
	s.t.Cleanup(func() { _ = l.command.Process.Kill() }) // of a test that failed before its end
	return l
}

// running tells whether it still asks.
func (l *load) running() bool { return len(l.done) == 0 }

var (
	completedLine = regexp.MustCompile(`Queries completed: +(\d+)`)
	lostLine      = regexp.MustCompile(`Queries lost: +(\d+)`)
	codesLine     = regexp.MustCompile(`Response codes: +(.*)`)
	goodCodes     = regexp.MustCompile(`^NOERROR \d+ \(100\.00%\)$`)
)

// end waits for its end, and fails the test where a query was lost or answered
// with anything but NOERROR. It gives the number of replies.
func (l *load) end() int {
	l.t.Helper()
	select {
	case err := <-l.done:
		if err != nil {
			l.t.Fatalf("dnsperf: %v\n%s", err, &l.out)
		}
	case <-time.After(time.Duration(l.seconds)*time.Second + 10*time.Second):
		l.t.Fatal("dnsperf does not end")
	}
	completed, lost, codes := l.number(completedLine), l.number(lostLine), l.find(codesLine)
	if lost != 0 || !goodCodes.MatchString(codes) {
		l.t.Errorf("%d queries lost, replies %s", lost, codes)
	}
	if want := rate * l.seconds / 2; completed < want {
		l.t.Errorf("%d replies in %d s, want %d at least: no load", completed, l.seconds, want)
	}
	return completed
}

func (l *load) find(line *regexp.Regexp) string {
	l.t.Helper()
	match := line.FindStringSubmatch(l.out.String())
	if match == nil {
		l.t.Fatalf("dnsperf: no %q in:\n%s", line, &l.out)
	}
	return match[1]
}

func (l *load) number(line *regexp.Regexp) int {
	l.t.Helper()
	n, err := strconv.Atoi(l.find(line))
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}
