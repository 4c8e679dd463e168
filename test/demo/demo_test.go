package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// asDemo makes this test binary the demo itself, so that exit statuses and
// signals are the real ones; with the value "wrong", one answer is expected
// that never comes.
const asDemo = "CLUSTERSET_DEMO"

func TestMain(m *testing.M) {
	switch os.Getenv(asDemo) {
	case "":
		os.Exit(m.Run())
	case "wrong":
		services[0].want = []string{"@ A 10.101.0.21"}
	}
	main()
}

// TestDemo builds the CoreDNS under test anew: one in bin may be of older code.
func TestDemo(t *testing.T) {
	coredns := filepath.Join(t.TempDir(), "coredns")
	if err := harness.BuildCoreDNS(coredns); err != nil {
		t.Fatal(err)
	}
	t.Run("right", func(t *testing.T) { testRight(t, coredns) })
	t.Run("wrong", func(t *testing.T) { testWrong(t, coredns) })
	t.Run("terminated", func(t *testing.T) { testEnded(t, coredns, syscall.SIGTERM) })
	t.Run("killed", func(t *testing.T) { testEnded(t, coredns, syscall.SIGKILL) })
}

// demo is the demo as a command. Its files are below temp.
func demo(t *testing.T, coredns, how, temp string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	// Not the reader's port, and below those that systems give to clients.
	port := 10000 + os.Getpid()%10000
	cmd := exec.CommandContext(ctx, self, "-coredns", coredns, "-port", strconv.Itoa(port))
	cmd.Env = append(os.Environ(), asDemo+"="+how, "TMPDIR="+temp)
	return cmd
}

var summary = regexp.MustCompile(`(?m)^(\d+) of (\d+) answers as they should be$`)

func testRight(t *testing.T, coredns string) {
	temp := t.TempDir()
	out, err := demo(t, coredns, "right", temp).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := summary.FindSubmatch(out)
	if found == nil || !bytes.Equal(found[1], found[2]) || len(found[1]) < 2 {
		t.Errorf("want N of N answers, at least 10:\n%s", out)
	}
	for line := range strings.Lines(string(out)) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > width || strings.Contains(line, "\x1b") {
			t.Errorf("longer than %d columns, or coloured without a terminal: %q", width, line)
		}
	}
	nothingLeft(t, coredns)
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("files left: %v, %v", left, err)
	}
}

func testWrong(t *testing.T, coredns string) {
	out, err := demo(t, coredns, "wrong", t.TempDir()).CombinedOutput()
	if err == nil {
		t.Errorf("a wrong answer, and exit status 0")
	}
	found := summary.FindStringSubmatch(string(out))
	if found == nil {
		t.Fatalf("no summary:\n%s", out)
	}
	right, _ := strconv.Atoi(found[1])
	asked, _ := strconv.Atoi(found[2])
	if right != asked-1 {
		t.Errorf("one wrong answer, but %s", found[0])
	}
	if !regexp.MustCompile(`should be:\n +@ A 10\.101\.0\.21\n`).Match(out) {
		t.Errorf("it doesn't tell what was expected:\n%s", out)
	}
}

// testEnded ends the demo in its middle; its children must end with it.
func testEnded(t *testing.T, coredns string, signal syscall.Signal) {
	if signal == syscall.SIGKILL && runtime.GOOS != "linux" {
		t.Skip("only Linux ends children whose parent was killed")
	}
	temp := t.TempDir()
	cmd := demo(t, coredns, "right", temp)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := false
	for lines := bufio.NewScanner(stdout); !begun && lines.Scan(); {
		begun = strings.Contains(lines.Text(), "✓")
	}
	if !begun || (runtime.GOOS == "linux" && len(running(t, coredns)) == 0) {
		t.Errorf("the demo had not begun")
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Errorf("ended by %v, and exit status 0", signal)
	}
	nothingLeft(t, coredns)
	if left, err := os.ReadDir(temp); signal != syscall.SIGKILL && (err != nil || len(left) > 0) {
		t.Errorf("files left: %v, %v", left, err)
	}
}

// nothingLeft waits until no process of that binary runs: the kernel ends the
// children of a killed demo soon after it.
func nothingLeft(t *testing.T, binary string) {
	t.Helper()
	_, err := harness.Poll(t.Context(), limit, func() error {
		if left := running(t, binary); len(left) > 0 {
			return fmt.Errorf("processes left: %v", left)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// running are the processes of that binary, where the system tells.
func running(t *testing.T, binary string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == binary {
			found = append(found, link)
		}
	}
	return found
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"@ A 10.0.0.1", "@ A 10.0.0.1", true},
		{"@ A 10.0.0.1", "@ A 10.0.0.2", false},
		{"@ A 10.0.0.1", "@ A 10.0.0.", false},
		{"EDE 22 (No): member c", "EDE 2… (…): member …", true},
		{"EDE 17 (No): member c", "EDE 2… (…): member …", false},
		{"EDE 22 (No): member", "EDE 2… (…): member …", false},
		{"SERVFAIL", "…", true},
	} {
		if got := like(c.text, c.pattern); got != c.want {
			t.Errorf("like(%q, %q) = %v, want %v", c.text, c.pattern, got, c.want)
		}
	}
}
