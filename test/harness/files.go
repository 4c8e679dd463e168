//go:build e2e

package harness

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Root is the path of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0) // test/harness/files.go
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// corednsBinary is the path of CoreDNS: COREDNS_BIN, or what make builds.
func corednsBinary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("COREDNS_BIN")
	if path == "" {
		path = filepath.Join(Root(), "bin", "coredns")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make, or set COREDNS_BIN", err)
	}
	return path
}

// ReadFile is a file's text. Where it can't be read the test fails.
func ReadFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// WriteFile replaces a file at once, so that nobody reads half of it.
func WriteFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
