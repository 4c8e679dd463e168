//go:build e2e

package walk

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// step is a line of a walk in CONTRIBUTING.md.
type step struct{ function, file string }

// checkWalk checks CONTRIBUTING.md's walk of that name against the calls.
func checkWalk(t *testing.T, name string, calls trace) {
	t.Helper()
	text := harness.ReadFile(t, filepath.Join(harness.Root(), "CONTRIBUTING.md"))
	if !strings.Contains(text, "\n```walk "+name+"\n") {
		t.Fatalf("CONTRIBUTING.md has no walk %s", name)
	}
	steps, err := parseWalk(text, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := calls.follow(steps); err != nil {
		t.Errorf("CONTRIBUTING.md, walk %s: %v", name, err)
	}
}

// parseWalk reads the fenced block "walk NAME" of a text, which has a function and
// its file in each line.
func parseWalk(text, name string) (steps []step, err error) {
	block := regexp.MustCompile("(?ms)^```walk " + name + "\n(.*?)^```$").FindStringSubmatch(text)
	if block == nil {
		return nil, fmt.Errorf("no block ```walk %s", name)
	}
	for line := range strings.Lines(block[1]) {
		words := strings.Fields(line)
		if len(words) != 2 {
			return nil, fmt.Errorf("walk %s: %q, want a function and its file", name, line)
		}
		steps = append(steps, step{words[0], words[1]})
	}
	return steps, nil
}

// follow returns an error where the functions aren't called in this order, or are
// in other files. Others may be called in between.
func (all trace) follow(steps []step) error {
	if len(steps) == 0 {
		return fmt.Errorf("it has no function")
	}
	after := "the beginning"
	for _, s := range steps {
		at := slices.IndexFunc(all, func(c call) bool { return c.function == s.function })
		if at < 0 {
			return fmt.Errorf("%s isn't called after %s", s.function, after)
		}
		if file := all[at].file; file != s.file {
			return fmt.Errorf("%s is in %s, not in %s", s.function, file, s.file)
		}
		all, after = all[at+1:], s.function
	}
	return nil
}

func TestFollow(t *testing.T) {
	calls := trace{{function: "a.f", file: "a.go"}, {function: "a.g", file: "b.go"}, {function: "a.f", file: "a.go"}}
	for _, test := range []struct{ block, want string }{
		{"a.f  a.go\na.g  b.go\n", ""},
		{"a.g  b.go\na.f  a.go\n", ""},
		{"a.g b.go\na.g b.go\n", "a.g isn't called after a.g"},
		{"a.h a.go\n", "a.h isn't called after the beginning"},
		{"a.g a.go\n", "a.g is in b.go, not in a.go"},
		{"a.g\n", "want a function and its file"},
		{"", "no function"},
	} {
		steps, err := parseWalk("x\n```walk a\n"+test.block+"```\n```walk b\n```\n", "a")
		if err == nil {
			err = calls.follow(steps)
		}
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: error %v, want %q", test.block, err, test.want)
		}
	}
	if _, err := parseWalk("```walk b\n```\n", "a"); err == nil {
		t.Error("no error for a block that isn't there")
	}
}
