package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	raceless          = regexp.MustCompile(`(?m)^RACELESS := (.*)\$\$$`)
	foldersOfRaceless = regexp.MustCompile(`'\$\(RACELESS\)' .*/clusterset/,([a-z/ ]+)\)`)
	skipped           = regexp.MustCompile(`func (Test\w+)\(t \*testing\.T\) \{\n\tclustertest\.WithoutRace\(t\)\n`)
)

// TestWithoutRace: each test that is skipped with the race detector is one that make e2e has
// without it.
func TestWithoutRace(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	names, folders := raceless.FindSubmatch(makefile), foldersOfRaceless.FindSubmatch(makefile)
	if names == nil || folders == nil {
		t.Fatal("the Makefile has no RACELESS")
	}
	run, in, found := regexp.MustCompile(string(names[1])+"$"), strings.Fields(string(folders[1])), 0
	root := filepath.Join("..", "plugin", "clusterset")
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, test := range skipped.FindAllSubmatch(source, -1) {
			found++
			if !run.Match(test[1]) || !slices.Contains(in, filepath.ToSlash(folder)) {
				t.Errorf("%s: %s isn't the Makefile's RACELESS, or its folder isn't there", path, test[1])
			}
		}
		if all := strings.Count(string(source), "clustertest.WithoutRace("); all != len(skipped.FindAllSubmatch(source, -1)) {
			t.Errorf("%s: clustertest.WithoutRace has to be a test's first line", path)
		}
		return err
	})
	if err != nil || found == 0 {
		t.Errorf("%d tests, error %v", found, err)
	}
}
