//go:build e2e

package apiserver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNoOrphans kills kube up in the worst way, one of its servers frozen: the
// kernel must end all that it started.
func TestNoOrphans(t *testing.T) {
	c := Start(t, "c1", "c2")
	c.Pause("c2")
	children := childrenOf(t, c.command.Process.Pid)
	if len(children) != 5 { // etcd, and two servers of each cluster
		t.Fatalf("children %v, want 5", children)
	}
	if err := c.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.ended
	// No signal tells of the end of a grandchild.
	pause, deadline := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer pause.Stop()
	for _, pid := range children {
		for running(pid) {
			select {
			case <-pause.C:
			case <-deadline:
				t.Fatalf("process %s outlives kube up", pid)
			}
		}
	}
}

func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended since
		}
		children = append(children, strings.Fields(string(text))...)
	}
	return children
}

// running is false for one that is gone, and for one that only waits to be
// reaped by a parent that isn't ours.
func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}
