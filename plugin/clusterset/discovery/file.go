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
	// recheck finds what no event told: a folder that was replaced, a network
	// file system.
	recheck = 10 * time.Second
	// readTimeout is for a disk that hangs: what is read later, rechecking finds.
	readTimeout = 2 * time.Second
	// maxWatchers is half of the inotify instances that Linux gives a user: those of
	// the node's other containers are often the same user.
	maxWatchers = 64
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
		watchFiles(ctx, []string{path}, boundedfile.Document, func(contents [][]byte, err error) {
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
// is that of the first file which can't be read: one of more than most bytes, what is
// no regular file, and one on a disk that hangs, among others.
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
// another is seen. Where the kernel can't, and beyond maxWatchers, rechecking is left.
// (One watcher for all would be one that all wait for where a disk hangs.)
type folders struct {
	watcher *fsnotify.Watcher // nil where there is none
	events  <-chan fsnotify.Event
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
	go func() {
		for range w.Errors { // an overflow: rechecking finds what it hid
		}
	}()
	return &folders{watcher: w, events: w.Events}
}

// stop doesn't wait for the watcher's end: where a disk hangs, there is none.
func (f *folders) stop() {
	if f.watcher != nil {
		go func() {
			f.watcher.Close()
			<-watchers
		}()
	}
}

// read gives the contents of the files, in the order of paths, or the error of the
// first that can't be read, within readTimeout.
func (f *folders) read(ctx context.Context, paths []string, most int64) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	contents, errs := make([][]byte, len(paths)), make([]error, len(paths))
	var reading sync.WaitGroup
	for i, path := range paths {
		reading.Go(func() {
			contents[i], errs[i] = boundedfile.Within(ctx, path, func() ([]byte, error) {
				if f.watcher != nil {
					_ = f.watcher.Add(filepath.Dir(path)) // gone: rechecking finds it back
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
