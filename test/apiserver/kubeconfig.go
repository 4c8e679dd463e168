package apiserver

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// tokenLine is the one line of kube up's kubeconfigs that holds the token.
var tokenLine = regexp.MustCompile(`(?m)^(\s*token: ).*$`)

// Kubeconfig is the path of the cluster's kubeconfig, for an administrator. The
// file holds all it needs, so its text may go into a Secret. It stays valid
// through Stop, Start and Wipe.
func (c *Clusters) Kubeconfig(name string) string {
	c.t.Helper()
	return c.member(name).kubeconfig
}

// Server is the URL of the cluster's API: https://127.0.0.1:PORT.
func (c *Clusters) Server(name string) string {
	c.t.Helper()
	return c.member(name).server
}

// KubeconfigWithToken writes the cluster's kubeconfig with another token, for
// instance that of a ServiceAccount with few rights, and returns its path. The
// file lives as long as t.
func (c *Clusters) KubeconfigWithToken(t testing.TB, name, token string) string {
	t.Helper()
	text, err := os.ReadFile(c.Kubeconfig(name))
	if err != nil {
		t.Fatalf("apiserver: %v", err)
	}
	if n := len(tokenLine.FindAll(text, -1)); n != 1 {
		t.Fatalf("apiserver: %s: %d token lines, want 1", c.Kubeconfig(name), n)
	}
	path := filepath.Join(t.TempDir(), name+".kubeconfig")
	text = tokenLine.ReplaceAll(text, []byte("${1}"+token))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatalf("apiserver: %v", err)
	}
	return path
}

func (c *Clusters) member(name string) *member {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.members[name]
	if !ok {
		c.t.Fatalf("apiserver: no cluster %q, only %q", name, slices.Sorted(maps.Keys(c.members)))
	}
	return m
}
