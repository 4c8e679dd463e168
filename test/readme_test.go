// Package test has the tests of what is written about the tests.
package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	row    = regexp.MustCompile(`^\| .* \| (.*) \|$`)
	bullet = regexp.MustCompile("(?m)^- `([a-z]+)`: ")
	folder = regexp.MustCompile("^`([a-z/-]+)` ")
)

// TestFolders: README.md has a line for each folder, and for no other.
func TestFolders(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, line := range bullet.FindAllStringSubmatch(string(text), -1) {
		listed[line[1]] = true
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && !listed[entry.Name()] {
			t.Errorf("%s: no line", entry.Name())
		}
		delete(listed, entry.Name())
	}
	for name := range listed {
		t.Errorf("%s: no folder", name)
	}
}

// TestReadme: each test that README.md names is where it says.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range strings.Lines(string(text)) {
		cells := row.FindStringSubmatch(strings.TrimSpace(line))
		if cells == nil || cells[1] == "tests" {
			continue
		}
		for _, of := range strings.Split(cells[1], "; ") {
			at := folder.FindStringSubmatch(of)
			if at == nil {
				t.Errorf("%s: no folder in %q", line, of)
				continue
			}
			source := sourceOf(t, at[1])
			for _, name := range strings.Split(of[len(at[0]):], ", ") {
				named++
				if !strings.Contains(source, "\nfunc "+name+"(") {
					t.Errorf("%s: no %s", at[1], name)
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("%d tests are named", named)
	}
}

// sourceOf is what is in the test files of a folder.
func sourceOf(t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join("..", folder)
	if !strings.HasPrefix(folder, "test/") && !strings.HasPrefix(folder, "cmd/") && !strings.HasPrefix(folder, "plugin/") && folder != "corefile" && folder != "deploy" {
		dir = filepath.Join("../plugin/clusterset", strings.TrimPrefix(folder, "clusterset"))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s: no tests (%v)", folder, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
