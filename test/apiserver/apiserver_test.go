package apiserver

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestMissingBinary(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "kube")
	t.Setenv("KUBE_BIN", missing)
	_, err := binary()
	if err == nil {
		t.Fatal("no error for a program that isn't there")
	}
	for _, want := range []string{missing, "make bin/kube", "KUBE_BIN"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q doesn't say %q", err, want)
		}
	}
}
