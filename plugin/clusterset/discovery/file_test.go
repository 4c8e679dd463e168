package discovery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFromFile: a document is observed once, however often its file is touched, and so is
// what is wrong with it.
func TestFromFile(t *testing.T) {
	const good = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters: [{name: c1, serviceCIDRs: [10.1.0.0/16]}]\n"
	const removed = "-"
	path := filepath.Join(t.TempDir(), "clusterset.yaml")
	write(t, path, good)
	updates := make(chan Update, 100)
	f, err := FromFile(path, func(u Update) { updates <- u })
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	steps := []struct{ name, text, err string }{
		{"good", good, ""},
		{"bad", "nonsense", "clusterset.yaml: "},
		{"good again", good, ""},
		{"emptied", "", "clusterset.yaml: empty"},
		{"mended", good, ""},
		{"removed", removed, "open "},
		{"there again", good, ""},
	}
	reads := watched(t, path)
	replace := func(text string) {
		write(t, path+".new", text)
		do(t, os.Rename(path+".new", path))
		reads.wait(t, soon, text)
	}
	for _, step := range steps {
		if step.text == removed {
			do(t, os.Remove(path))
		} else {
			replace(step.text)
		}
		select {
		case u := <-updates:
			if onlyMember(u.Set) != "c1" || (u.Err != nil) != (step.err != "") || (u.Err != nil && !strings.HasPrefix(u.Err.Error(), step.err)) {
				t.Errorf("%s: %v, error %v", step.name, onlyMember(u.Set), u.Err)
			}
		case <-time.After(soon):
			t.Fatalf("%s: no update", step.name)
		}
		if step.text != removed {
			replace(step.text) // no news
		}
	}
	if n := len(updates); n != 0 {
		t.Errorf("%d more updates: %v", n, <-updates)
	}
}
