//go:build e2e && linux

package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/test/harness"
	"github.com/coredns-clusterset/clusterset/test/world"
)

var update = flag.Bool("update", false, "write the session's output into README.md")

func TestMain(m *testing.M) {
	world.Enter()
	m.Run()
}

// TestSession types README.md's session in three clusters: what README.md shows is what
// comes out, but for what differs each time.
func TestSession(t *testing.T) {
	var out bytes.Buffer
	newRunner(t, world.Start(t), &out).play(session)
	path := filepath.Join(harness.Root(), "README.md")
	readme := harness.ReadFile(t, path)
	found := fence.FindStringSubmatchIndex(readme)
	if found == nil {
		t.Fatalf("README.md has no ```console")
	}
	if *update {
		if err := os.WriteFile(path, []byte(readme[:found[2]]+out.String()+readme[found[3]:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(normalize(readme[found[2]:found[3]]), normalize(out.String())); d != "" {
		t.Errorf("README.md's session (-) isn't what comes out (+); go test -tags e2e ./test/demokube -update writes it:\n%s", d)
	}
}

var fence = regexp.MustCompile("(?s)```console\n(.*?)```")

// What differs each time: how long things took, dates, ids, and how often a wait looked.
var variable = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`(?m)^⌛ Waiting .*\n`), ""},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(Z| UTC)`), "DATE"},
	{regexp.MustCompile(`version [0-9a-f]{16}`), "version HASH"},
	{regexp.MustCompile(`\d+\.\d+ ms`), "N ms"},
	// A row's RTT and AGE, and whether a DNS has been asked by now.
	{regexp.MustCompile(`(?m)^(cluster\d(?: \(here\))? \S+) (?:up|idle) \S+ (\S+) \S+ `), "$1 UP RTT $2 AGE "},
	{regexp.MustCompile(`(?m)^(cluster\d(?: \(here\))? \S+ \S+) \S+ (\S+) \S+ (\d+ \d+ )`), "$1 RTT $2 AGE $3"},
}

func normalize(text string) string {
	text = regexp.MustCompile(` {2,}`).ReplaceAllString(text, " ") // columns are as wide as what is in them
	for _, v := range variable {
		text = v.pattern.ReplaceAllString(text, v.as)
	}
	return text
}
