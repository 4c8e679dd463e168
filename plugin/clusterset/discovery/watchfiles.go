package discovery

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
)

const (
	// settle is how long a folder must be quiet before its files are read: an
	// editor empties a file before it writes it.
	settle = 20 * time.Millisecond
	// settleMax is for a folder that is never quiet.
	settleMax = 200 * time.Millisecond
	// recheck finds changes without an event: a folder that was replaced, a network
	// file system.
	recheck = 10 * time.Second
	// readTimeout is for a disk that hangs: rechecking finds what can be read later.
	readTimeout = 2 * time.Second
	// maxWatchers is half of the inotify instances that Linux allows a user: those of
	// the node's other containers are often the same user.
	maxWatchers = 64
)

// watchFiles calls read with the contents of the files, in the order of paths,
// at once and whenever one of them may have changed, until ctx ends. The error
// is that of the first file which can't be read: one that is larger than most bytes, no
// regular file, or on a disk that hangs, among others.
func watchFiles(ctx context.Context, paths []string, most int64, read func(contents [][]byte, err error)) {
	f := watchFolders()
	defer f.stop()
	again := time.NewTicker(recheck)
	defer again.Stop()
	for {
		contents, err := f.read(ctx, paths, most)
		if ctx.Err() != nil {
			return
		}
		begun := time.Now()
		read(contents, err)
		sleep(ctx, idle*time.Since(begun))
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case <-f.events:
			untilQuiet(ctx, f.events)
		}
	}
}

// folders watches the folders that hold the files, so that a file which is replaced by
// another is seen. Where the kernel can't, and beyond maxWatchers, only rechecking finds
// changes. (All files' folders in one watcher would all wait where one disk hangs.)
type folders struct {
	watcher *fsnotify.Watcher // nil where there is none
	events  <-chan fsnotify.Event
	errors  chan struct{} // closed when no more errors are read
}

// watchers has a place for each.
var watchers = make(chan struct{}, maxWatchers)

func watchFolders() *folders {
	select {
	case watchers <- struct{}{}:
	default:
		return &folders{}
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		<-watchers
		return &folders{}
	}
	f := &folders{watcher: w, events: w.Events, errors: make(chan struct{})}
	go func() {
		defer close(f.errors)
		for range w.Errors { // an overflow: rechecking finds what it hid
		}
	}()
	return f
}

// stop waits for the watcher's end, as far as it ends: where a disk hangs, it doesn't.
func (f *folders) stop() {
	if f.watcher == nil {
		return
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.watcher.Close()
		<-f.errors
		<-watchers
	}()
	waitFor(stopped)
}

// read returns the contents of the files, in the order of paths, or the error of the
// first that can't be read within readTimeout.
func (f *folders) read(ctx context.Context, paths []string, most int64) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	contents, errs := make([][]byte, len(paths)), make([]error, len(paths))
	var reading sync.WaitGroup
	for i, path := range paths {
		reading.Go(func() {
			contents[i], errs[i] = boundedfile.Within(ctx, path, func() ([]byte, error) {
				if f.watcher != nil {
					_ = f.watcher.Add(filepath.Dir(path)) // fails where it is gone: rechecking finds it again
				}
				return boundedfile.Read(path, most)
			})
		})
	}
	reading.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return contents, nil
}

// untilQuiet returns when there was no event for a while, or after settleMax.
func untilQuiet(ctx context.Context, events <-chan fsnotify.Event) {
	quiet, enough := time.NewTimer(settle), time.NewTimer(settleMax)
	defer quiet.Stop()
	defer enough.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-enough.C:
			return
		case <-quiet.C:
			return
		case <-events:
			quiet.Reset(settle)
		}
	}
}
