//go:build e2e

package deploy

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// startCoreDNS runs the command, which is CoreDNS, until the test ends, and
// returns when all its listeners have started.
func startCoreDNS(t *testing.T, command *exec.Cmd) *harness.Program {
	t.Helper()
	program, err := harness.Run(command, filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		program.Kill()
		if t.Failed() {
			t.Logf("CoreDNS said\n%s", program.Log())
		}
	})
	if err := program.AwaitListening(t.Context(), 30*time.Second); err != nil {
		t.Fatalf("CoreDNS: %v", err)
	}
	return program
}
