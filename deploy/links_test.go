package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unlike  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// Every link of the pages for who installs and who runs leads somewhere, and to a
// heading that is there.
func TestLinks(t *testing.T) {
	for _, page := range []string{"README.md", "running.md", "../corefile/stand-alone/README.md"} {
		for _, found := range link.FindAllStringSubmatch(read(t, page), -1) {
			path, anchor, _ := strings.Cut(found[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s: %v", page, found[1], err)
				continue
			}
			if anchor != "" && !anchors(t, target)[anchor] {
				t.Errorf("%s: %s: no such heading", page, found[1])
			}
		}
	}
}

// anchors are those of a page's headings, as forges make them.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	for _, found := range heading.FindAllStringSubmatch(read(t, page), -1) {
		all[strings.ReplaceAll(unlike.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")] = true
	}
	return all
}
