//go:build e2e && linux

package netns

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// abandon makes TestAbandoned do what its name says.
const abandon = "CLUSTERSET_TEST_ABANDON"

// TestNothingLeft kills a test in the worst way, one of its servers frozen: its
// namespaces, files and processes must go all the same.
func TestNothingLeft(t *testing.T) {
	needs(t)
	command := inRole(mortal(exec.Command(executable(t), "-test.run", "^TestAbandoned$")))
	command.Env = append(command.Env, abandon+"=1", "TMPDIR="+t.TempDir()) // it can't remove its own
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer kill(command)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	left := strings.Fields(line)
	for _, path := range left {
		if !exists(path) {
			t.Errorf("%s is not there in the first place", path)
		}
	}
	kill(command)
	took := harness.Eventually(t, startTimeout, "all is gone", func() error {
		for _, path := range left {
			if exists(path) {
				return fmt.Errorf("%s is still there", path)
			}
		}
		return nil
	})
	t.Logf("%d namespaces, files and processes gone after %v", len(left), took)
}

// TestAbandoned starts everything, prints a line of paths that are there as long
// as it is, and waits to be killed.
func TestAbandoned(t *testing.T) {
	if os.Getenv(abandon) == "" {
		t.Skip("is run by TestNothingLeft")
	}
	clusters := newClusters(t)
	clusters[0].configureResolver(t)
	clusters[1].dns.Freeze()
	paths := []string{filepath.Join(handles, string(clusters[0].network.router)), filepath.Join(etcFiles, string(clusters[0].ns))}
	for _, c := range clusters {
		paths = append(paths, filepath.Join(handles, string(c.ns)), fmt.Sprintf("/proc/%d", c.dns.PID()))
	}
	fmt.Println(strings.Join(paths, " "))
	select {}
}

// exists is false for a process that only waits to be reaped, by a parent that
// isn't ours.
func exists(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join(path, "stat"))
	return err != nil || !bytes.Contains(stat, []byte(") Z "))
}
