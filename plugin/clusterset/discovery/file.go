package discovery

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a folder must be quiet before its files are read: an
	// editor empties a file before it writes it.
	settle = 20 * time.Millisecond
	// settleMax is for a folder that is never quiet.
	settleMax = 200 * time.Millisecond
	// recheck finds what no event told: a folder that was replaced, a network
	// file system.
	recheck = 10 * time.Second
)

// FromFile gives the feed of a document in a file, read again when it changes.
// A ConfigMap mounted as a volume, whose "..data" link is swapped, is such a
// file. observe is told of every update once, whoever subscribes.
func FromFile(path string, observe func(Update)) (*Feed[Update], error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return acquire("file "+path, func(ctx context.Context, publish func(Update)) {
		in := &intake{observe: observe, publish: publish}
		last, read := "", false
		watchFiles(ctx, []string{path}, func(contents [][]byte, err error) {
			if err != nil {
				read = false
				_ = in.report(nil, err)
				return
			}
			if text := string(contents[0]); text != last || !read {
				last, read = text, true
				_ = in.report(map[string]string{filepath.Base(path): text}, nil)
			}
		})
	}), nil
}

// watchFiles calls read with the contents of the files, in the order of paths,
// at once and whenever one of them may have changed, until ctx ends. The error
// is that of the first file which can't be read.
func watchFiles(ctx context.Context, paths []string, read func(contents [][]byte, err error)) {
	events, watch, stop := watchFolders(paths)
	defer stop()
	again := time.NewTicker(recheck)
	defer again.Stop()
	for {
		watch()
		read(readFiles(paths))
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case <-events:
			untilQuiet(ctx, events)
		}
	}
}

// watchFolders watches the folders that hold the files, so that a file which is
// replaced by another is seen. Where the kernel can't, rechecking is left.
func watchFolders(paths []string) (events <-chan fsnotify.Event, watch, stop func()) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, func() {}, func() {}
	}
	go func() {
		for range w.Errors { // an overflow: rechecking finds what it hid
		}
	}()
	watch = func() {
		for _, path := range paths {
			_ = w.Add(filepath.Dir(path)) // gone: rechecking finds it back
		}
	}
	return w.Events, watch, func() { w.Close() }
}

func untilQuiet(ctx context.Context, events <-chan fsnotify.Event) {
	enough := time.NewTimer(settleMax)
	defer enough.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-enough.C:
			return
		case <-events:
		case <-time.After(settle):
			return
		}
	}
}

// readFiles gives the contents of the files, in the order of paths, or the error
// of the first that can't be read.
func readFiles(paths []string) ([][]byte, error) {
	contents := make([][]byte, len(paths))
	for i, path := range paths {
		var err error
		if contents[i], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return contents, nil
}
