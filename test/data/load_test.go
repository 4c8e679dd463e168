//go:build e2e

package data

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// rate is the queries per second for each server: enough that any gap is hit, and
// a part of what the machine can do.
const rate = 2000

// long makes outages as long as those that operators see.
const long = "CLUSTERSET_LONG"

// outageUnderLoad is how long an API is away under load.
func outageUnderLoad() time.Duration {
	if os.Getenv(long) == "1" {
		return 2 * time.Minute
	}
	return 20 * time.Second
}

// load is a running dnsperf.
type load struct {
	t       *testing.T
	s       *server
	command *exec.Cmd
	lasts   time.Duration
	out     bytes.Buffer
	done    chan error
}

// startLoad asks the server for the names, in turn.
func startLoad(s *server, lasts time.Duration, names ...string) *load {
	s.t.Helper()
	path, err := exec.LookPath("dnsperf")
	if err != nil {
		s.t.Skip("dnsperf is missing: apt-get install dnsperf")
	}
	var queries bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&queries, "%s A\n", name)
	}
	file := filepath.Join(s.t.TempDir(), "queries")
	writeFile(s.t, file, queries.String())
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	l := &load{t: s.t, s: s, lasts: lasts, done: make(chan error, 1)}
	l.command = exec.Command(path, "-s", host, "-p", port, "-d", file,
		"-q", "20", "-Q", strconv.Itoa(rate), "-l", strconv.Itoa(int(lasts.Seconds())), "-t", "3")
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
	slowestLine   = regexp.MustCompile(`Average Latency.*max ([0-9.]+)`)
	goodCodes     = regexp.MustCompile(`^NOERROR \d+ \(100\.00%\)$`)
)

// end waits for its end, and fails the test where a query was lost or answered
// with anything but NOERROR.
func (l *load) end(t *testing.T) {
	t.Helper()
	select {
	case err := <-l.done:
		if err != nil {
			t.Fatalf("dnsperf: %v\n%s", err, &l.out)
		}
	case <-time.After(l.lasts + 10*time.Second):
		t.Fatal("dnsperf does not end")
	}
	completed, lost, codes := l.number(completedLine), l.number(lostLine), l.find(codesLine)
	if lost != 0 || !goodCodes.MatchString(codes) {
		t.Errorf("%s: %d queries lost, replies %s", l.s.mode, lost, codes)
	}
	if want := rate * int(l.lasts.Seconds()) / 2; completed < want {
		t.Errorf("%s: %d replies, want %d at least: no load", l.s.mode, completed, want)
	}
	t.Logf("%s under dnsperf: %d replies, %d lost, %s, the slowest after %s s", l.s.mode, completed, lost, codes, l.find(slowestLine))
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
