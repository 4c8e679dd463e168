//go:build e2e && linux

package netns

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPodinfo is the point of it all: a program that knows a name only, and the C
// library's resolver with a pod's configuration, get another cluster's page.
func TestPodinfo(t *testing.T) {
	clusters := newClusters(t)
	clusters[1].servePodinfo(t)
	clusters[2].servePodinfo(t)
	clusters[0].configureResolver(t)
	for url, page := range map[string]string{
		"http://podinfo.default.svc.cluster1.lan:9898/": "podinfo of cluster1",
		"http://podinfo.default.cluster1.lan:9898/":     "podinfo of cluster1",
		"http://podinfo.default.svc.cluster2.lan:9898/": "podinfo of cluster2",
		"http://podinfo.default.cluster2.lan:9898/":     "podinfo of cluster2",
	} {
		t.Run("go "+url, func(t *testing.T) {
			command := inRole(clusters[0].ns.command(executable(t), roleGet, url))
			command.Env = append(command.Env, "GODEBUG=netdns=cgo+1")
			var stderr bytes.Buffer
			command.Stderr = &stderr
			got := output(t, command)
			if !bytes.Contains(stderr.Bytes(), []byte("cgo resolver")) {
				t.Errorf("not through the C library (was the test built with cgo?): %s", stderr.Bytes())
			}
			if string(got) != page {
				t.Errorf("page %q, want %q", got, page)
			}
		})
		t.Run("curl "+url, func(t *testing.T) {
			if _, err := exec.LookPath("curl"); err != nil {
				t.Skip("needs curl: install the package curl")
			}
			if got := output(t, clusters[0].ns.command("curl", "-sS", "--noproxy", "*", "--max-time", "10", url)); string(got) != page {
				t.Errorf("page %q, want %q", got, page)
			}
		})
	}
}

// configureResolver writes the resolv.conf that the cluster's pods have: with
// five dots asked for, every name but the longest is tried in the cluster's own
// domain first.
func (c *cluster) configureResolver(t testing.TB) {
	t.Helper()
	dir := filepath.Join(etcFiles, string(c.ns)) // removeAtEnd removes it
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "nameserver " + c.dnsAddress() + "\n" +
		"search default.svc.cluster.local svc.cluster.local cluster.local\n" +
		"options ndots:5\n"
	if err := os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
