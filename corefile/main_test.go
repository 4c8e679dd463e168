// Package corefile holds Corefiles to start from: one folder for each way to run
// clusterset. Its tests start every one of them with the real program and ask it.
package corefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// program is the CoreDNS that the tests start.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coredns")
	if err == nil {
		defer os.RemoveAll(dir)
		program, err = coredns(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// coredns is bin/coredns, or one built into dir where there is none or where it
// is older than its source: an old program would be tested in place of this one.
func coredns(dir string) (string, error) {
	built, err := filepath.Abs("../bin/coredns")
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(built); err == nil {
		newest, err := newestSource()
		if err != nil || !newest.After(info.ModTime()) {
			return built, err
		}
	}
	path := filepath.Join(dir, "coredns")
	return path, harness.BuildCoreDNS(path)
}

func newestSource() (newest time.Time, err error) {
	for _, root := range []string{"../go.mod", "../cmd/coredns", "../plugin"} {
		err = errors.Join(err, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if filepath.Ext(path) != ".go" && filepath.Ext(path) != ".mod" {
				return nil
			}
			info, err := entry.Info()
			if err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
			return err
		}))
	}
	return newest, err
}
