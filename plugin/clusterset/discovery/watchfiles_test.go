package discovery

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// seen are what watchFiles read, each as the contents joined by "+", or
// "error: " and the reason.
type seen chan string

// watched watches files until the test's end.
func watched(t *testing.T, paths ...string) seen {
	t.Helper()
	s := make(seen, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watchFiles(ctx, paths, 1<<20, func(contents [][]byte, err error) {
			if err != nil {
				s <- "error: " + err.Error()
				return
			}
			var texts []string
			for _, c := range contents {
				texts = append(texts, string(c))
			}
			s <- strings.Join(texts, "+")
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return s
}

// wait reads on until want, and returns what was read before.
func (s seen) wait(t *testing.T, bound time.Duration, want string) (before []string) {
	t.Helper()
	end := time.After(bound)
	for {
		select {
		case got := <-s:
			if got == want {
				return before
			}
			before = append(before, got)
		case <-end:
			t.Fatalf("not read within %v: %q; but %q", bound, want, before)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// soon is how soon a change must be seen that has an event; less than recheck,
// which would find it too.
const soon = recheck * 4 / 5

// TestWatchFiles: every way in which files change, one after the other.
func TestWatchFiles(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	t.Run("changes", func(t *testing.T) {
		dir := t.TempDir()
		one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
		missing := "error: open " + one + ": no such file or directory"
		write(t, two, "2")
		s := watched(t, one, two)
		steps := []struct {
			name   string
			change func() error
			want   string
		}{
			{"missing", func() error { return nil }, missing},
			{"made", func() error { return os.WriteFile(one, []byte("1"), 0o600) }, "1+2"},
			{"written", func() error { return os.WriteFile(two, []byte("B"), 0o600) }, "1+B"},
			{"emptied", func() error { return os.Truncate(one, 0) }, "+B"},
			{"replaced", func() error {
				write(t, one+".new", "A")
				return os.Rename(one+".new", one)
			}, "A+B"},
			{"replaced again", func() error {
				write(t, one+".new", "a")
				return os.Rename(one+".new", one)
			}, "a+B"},
			{"removed", func() error { return os.Remove(one) }, missing},
			{"a link", func() error {
				write(t, one+".target", "L")
				return os.Symlink(one+".target", one)
			}, "L+B"},
			{"made unreadable", func() error { return os.Rename(two, two+".old") }, "error: open " + two + ": no such file or directory"},
			{"made again", func() error { return os.Rename(two+".old", two) }, "L+B"},
		}
		for _, step := range steps {
			do(t, step.change())
			s.wait(t, soon, step.want)
		}
	})
	if leak := goleak.Find(ignore); leak != nil {
		t.Error(leak)
	}
}

// TestWatchFilesFolder: a folder that is gone is an error; made again, it is watched
// again, at the latest after recheck.
func TestWatchFilesFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ", recheck)
	}
	for name, gone := range map[string]func(dir string) error{
		"deleted": os.RemoveAll,
		"moved":   func(dir string) error { return os.Rename(dir, dir+".old") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "dir")
			path := filepath.Join(dir, "file")
			do(t, os.Mkdir(dir, 0o700))
			write(t, path, "before")
			s := watched(t, path)
			s.wait(t, soon, "before")
			do(t, gone(dir))
			s.wait(t, recheck+soon, "error: open "+path+": no such file or directory")
			do(t, os.Mkdir(dir, 0o700))
			write(t, path, "after")
			s.wait(t, recheck+soon, "after")
			write(t, path, "watched")
			s.wait(t, soon, "watched")
		})
	}
}

// TestWatchFilesSettle: a file that is written in parts, as editors do, is read
// when it is whole.
func TestWatchFilesSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "before")
	s := watched(t, path)
	s.wait(t, soon, "before")
	const attempts = 5 // a machine that is busy makes the pause longer than settle
	for range attempts {
		do(t, inParts(path, "half", " and half"))
		part := false
		for _, text := range s.wait(t, soon, "half and half") {
			part = part || (text != "before" && text != "half and half")
		}
		if !part {
			return
		}
		write(t, path, "before")
		s.wait(t, soon, "before")
	}
	t.Errorf("read in part, %d times", attempts)
}

// inParts empties the file and writes the parts, with pauses shorter than settle.
func inParts(path string, parts ...string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, part := range parts {
		<-time.After(settle / 4)
		if _, err := f.WriteString(part); err != nil {
			return err
		}
	}
	return f.Sync()
}

// TestWatchFilesMany: however many files a document names, the node's other containers are
// left some of what the kernel allows a user, and all the files are read.
func TestWatchFilesMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "text")
	t.Cleanup(func() { // after those of watched
		if n := len(watchers); n != 0 {
			t.Errorf("%d watchers have not ended", n)
		}
	})
	var all []seen
	for range 2 * maxWatchers {
		all = append(all, watched(t, path))
	}
	for _, reads := range all {
		reads.wait(t, soon, "text")
	}
	if n := inotifies(t); n > maxWatchers {
		t.Errorf("%d inotify instances, want %d at the most", n, maxWatchers)
	}
}

// inotifies counts the inotify instances that the process has, where there is a /proc.
func inotifies(t *testing.T) (n int) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, fd := range open {
		if link, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.Contains(link, "inotify") {
			n++
		}
	}
	return n
}
