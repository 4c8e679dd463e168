//go:build e2e && linux

package netns

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// removeAtEnd starts the process that removes the namespaces when t ends. A
// process of its own, told by the end of its standard input, does so as well
// when the test is killed or runs out of time and no cleanup of its own runs.
func removeAtEnd(t testing.TB, namespaces ...namespace) {
	t.Helper()
	args := []string{roleClean}
	for _, n := range namespaces {
		args = append(args, string(n))
	}
	cleaner := inRole(exec.Command(executable(t), args...))
	cleaner.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // not for the terminal's ^C
	var stderr bytes.Buffer
	cleaner.Stderr = &stderr
	stdin, err := cleaner.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cleaner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // it fails only when the cleaner has ended already
		if err := cleaner.Wait(); err != nil {
			t.Errorf("namespaces not removed: %v: %s", err, stderr.Bytes())
		}
	})
}

// clean is the cleaner: it removes the namespaces when its standard input ends.
func clean(namespaces []string) error {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	var failed []error
	for _, n := range namespaces {
		if err := remove(n); err != nil {
			failed = append(failed, err)
		}
	}
	_ = os.Remove(etcFiles) // it fails where another one's files are in it
	return errors.Join(failed...)
}

func remove(n string) error {
	if err := os.RemoveAll(filepath.Join(etcFiles, n)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(handles, n)); err != nil {
		return nil // the test ended before it was made
	}
	out, err := exec.Command("ip", "netns", "del", n).CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
}
