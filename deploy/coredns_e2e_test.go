//go:build e2e

package deploy

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startCoreDNS runs the command, which is CoreDNS, until the test ends, and
// returns when all its listeners have started.
func startCoreDNS(t *testing.T, command *exec.Cmd) {
	t.Helper()
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan struct{})
	var log strings.Builder
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if strings.HasPrefix(lines.Text(), "CoreDNS-") { // printed last
				close(started)
			}
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-ended
		_ = command.Wait() // killed
		if t.Failed() {
			t.Logf("CoreDNS said\n%s%s", &log, &stderr)
		}
	})
	select {
	case <-started:
	case <-ended:
		t.Fatal("CoreDNS has ended")
	case <-time.After(30 * time.Second):
		t.Fatal("CoreDNS has not started")
	}
}
