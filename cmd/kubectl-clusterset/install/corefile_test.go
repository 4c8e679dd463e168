package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStanza(t *testing.T) {
	for _, c := range []struct {
		name, corefile string
		want           Stanza
	}{
		{"bare", ". {\n clusterset lan\n}", Stanza{
			Keys: []string{"."}, Zones: []string{"lan"}, Namespace: "kube-system", ConfigMap: "clusterset",
		}},
		{"all", "lan:53 {\n clusterset {\n  configmap a/b\n  local cluster1\n  status\n }\n}", Stanza{
			Keys: []string{"lan:53"}, Namespace: "a", ConfigMap: "b", Local: "cluster1", Status: "127.0.0.1:9154",
		}},
		{"of kube-system", ". {\n clusterset lan {\n  configmap b\n  status :1234\n }\n}", Stanza{
			Keys: []string{"."}, Zones: []string{"lan"}, Namespace: "kube-system", ConfigMap: "b", Status: ":1234",
		}},
		{"file", ". {\n clusterset lan {\n  file /a\n }\n}", Stanza{Keys: []string{"."}, Zones: []string{"lan"}, File: "/a"}},
		{"snippet", "(it) {\n clusterset lan\n}\n. {\n import it\n}", Stanza{
			Keys: []string{"."}, Zones: []string{"lan"}, Namespace: "kube-system", ConfigMap: "clusterset",
		}},
		{"environment", ". {\n clusterset lan {\n  status {$HOME}:9154\n }\n}", Stanza{
			Keys: []string{"."}, Zones: []string{"lan"}, Namespace: "kube-system", ConfigMap: "clusterset", Status: "$HOME:9154",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			blocks, _, err := ParseCorefile(c.corefile)
			if err != nil {
				t.Fatal(err)
			}
			got := blocks[len(blocks)-1].Stanza
			got.Options = nil
			if d := cmp.Diff(&c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestImports: a Corefile of a cluster has no file of this machine read.
func TestImports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("clusterset secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	blocks, imports, err := ParseCorefile(". {\n import " + file + "\n whoami\n}\n\timport " + filepath.Dir(file) + "/*\n")
	if err != nil {
		t.Fatal(err)
	}
	if blocks[0].Stanza != nil || len(imports) != 2 {
		t.Errorf("have %+v, imports %q", blocks[0], imports)
	}
}

func TestBadCorefile(t *testing.T) {
	for _, c := range []struct{ corefile, want string }{
		{". {\n clusterset lan {\n  status 9154\n }\n}", `line 3 of the Corefile: status "9154": not HOST:PORT`},
		{". {\n clusterset lan {\n", "Corefile:"},
		{". { import /etc/hosts\n}", "Corefile:1 - Error during parsing: import: "},
		{"\"import\" /etc/hosts\n", "Corefile:1 - Error during parsing: import: "},
		{"(/etc/hosts) {\n}\n. { import /etc/hosts\n}", "Corefile:3 - Error during parsing: import: "},
	} {
		if _, _, err := ParseCorefile(c.corefile); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s", c.corefile, err, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	blocks, _, err := ParseCorefile(". {\n forward . /etc/resolv.conf {\n  max_concurrent 1000\n }\n loop\n}")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"forward", ".", "/etc/resolv.conf", "{"}, {"max_concurrent", "1000"}, {"}"}}
	if d := cmp.Diff(want, blocks[0].Words("forward")); d != "" {
		t.Error(d)
	}
	if blocks[0].Words("cache") != nil {
		t.Error("words of a plugin that isn't there")
	}
}
