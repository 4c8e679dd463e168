package boundedfile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, size := range map[string]int{"empty": 0, "small": 5, "full": 100, "over": 101} {
		must(t, os.WriteFile(in(name), []byte(strings.Repeat("x", size)), 0o600))
	}
	must(t, os.Mkdir(in("folder"), 0o700))
	must(t, syscall.Mkfifo(in("pipe"), 0o600))
	for _, target := range []string{"small", "pipe", "missing"} {
		must(t, os.Symlink(target, in("to "+target)))
	}
	must(t, os.Symlink("to itself", in("to itself")))
	must(t, os.Truncate(in("over"), 1<<40)) // has no blocks, and no end for who reads it
	listener, err := net.Listen("unix", in("socket"))
	must(t, err)
	defer listener.Close()

	for _, tc := range []struct {
		path string
		size int
		err  string
	}{
		{path: in("empty")},
		{path: in("small"), size: 5},
		{path: in("full"), size: 100},
		{path: in("to small"), size: 5},
		{path: "/proc/self/statm", size: -1}, // a regular file that doesn't tell its size
		{path: in("over"), err: "too large: must be at most 100 bytes"},
		{path: "/proc/self/mountinfo", err: "too large: must be at most 100 bytes"},
		{path: in("folder"), err: "is a directory: must be a regular file"},
		{path: in("pipe"), err: "is a named pipe: must be a regular file"},
		{path: in("to pipe"), err: "is a named pipe: must be a regular file"},
		{path: in("socket"), err: "is a socket: must be a regular file"},
		{path: "/dev/zero", err: "is a device: must be a regular file"},
		{path: in("missing"), err: "no such file"},
		{path: in("to missing"), err: "no such file"},
		{path: in("to itself"), err: "too many levels"},
		{path: "", err: "no such file"},
		{path: "a\x00b", err: "invalid argument"},
	} {
		content, err := Read(tc.path, 100)
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) || !strings.Contains(err.Error(), tc.path) || content != nil {
				t.Errorf("%s: error %v, want %s", tc.path, err, tc.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.path, err)
		case len(content) != tc.size && tc.size >= 0:
			t.Errorf("%s: %d bytes, want %d", tc.path, len(content), tc.size)
		}
	}
	if _, err := Read(in("missing"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
