//go:build e2e

// Package stock builds the plugin into a CoreDNS as it is released, the way
// README.md says: by a line in plugin.cfg and a replace to this checkout.
package stock

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestStockCoreDNS runs README.md's own commands in a copy of CoreDNS's source.
func TestStockCoreDNS(t *testing.T) {
	root := harness.Root()
	source := strings.TrimSpace(run(t, root, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/coredns/coredns"))
	dir := filepath.Join(t.TempDir(), "coredns")
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "chmod", "-R", "u+w", ".")
	run(t, dir, "sh", "-ec", strings.ReplaceAll(commands(t, root), "/path/to/clusterset", root))
	if plugins := run(t, dir, "./coredns", "-plugins"); !strings.Contains(plugins, "clusterset") {
		t.Errorf("no clusterset in %s", plugins)
	}
	order, err := os.ReadFile(filepath.Join(dir, "core", "dnsserver", "zdirectives.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`"clusterset",\s+"kubernetes",`).Match(order) {
		t.Error("clusterset isn't directly before kubernetes")
	}
}

// commands are the indented lines of README.md that begin with the one which
// edits plugin.cfg.
func commands(t *testing.T, root string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^    sed .*plugin\.cfg\n(    .*\n)+`).FindString(string(readme))
	if found == "" {
		t.Fatal("README.md has no commands that edit plugin.cfg")
	}
	return found
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
