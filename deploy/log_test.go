package deploy

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	logTable = regexp.MustCompile("(?s)\n## What the log says\n(.*?)\n## ")
	logRow   = regexp.MustCompile("(?m)^\\| (`.*?`) \\|")
	quotes   = regexp.MustCompile("`([^`]+)`")
	// variable is what is another word in each line.
	variable = regexp.MustCompile(`\b(N|5s|[A-Z]{4,})\b|[,:]`)
)

// The lines of the log that running.md tells of are those that the program writes.
func TestLogLines(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir("../plugin/clusterset", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") {
			source.WriteString(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	table := logTable.FindStringSubmatch(read(t, "running.md"))
	if table == nil {
		t.Fatal("running.md has no table of lines")
	}
	lines := 0
	for _, row := range logRow.FindAllStringSubmatch(table[1], -1) {
		for _, line := range quotes.FindAllStringSubmatch(row[1], -1) {
			lines++
			for _, words := range variable.Split(line[1], -1) {
				if words = strings.TrimSpace(words); !strings.Contains(source.String(), words) {
					t.Errorf("%s: the program doesn't say %q", line[1], words)
				}
			}
		}
	}
	if want := 18; lines < want {
		t.Errorf("%d lines, want %d at least", lines, want)
	}
}
