package boundedfile

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
)

// maxHung bounds the folders whose disks hang at the same time: each of them holds a
// thread, of which Go has ten thousand.
const maxHung = 256

// lanes are the folders in which something is done just now. What is done in one
// folder is done one after the other, so that a disk that hangs holds one goroutine for
// each folder, however often its files are looked at.
var lanes = struct {
	sync.Mutex
	byFolder map[string]*lane
	all      chan struct{}
}{byFolder: make(map[string]*lane), all: make(chan struct{}, maxHung)}

type lane struct {
	turn  chan struct{} // of one
	users int           // under lanes' lock
}

// ReadContext is Read, until ctx ends.
func ReadContext(ctx context.Context, path string, most int64) ([]byte, error) {
	return Within(ctx, path, func() ([]byte, error) { return Read(path, most) })
}

// Within calls do, which may hang on the disk that path is on, and returns when do
// does, or when ctx ends. Then do is left to itself.
func Within[T any](ctx context.Context, path string, do func() (T, error)) (T, error) {
	var none T
	leave, err := enter(ctx, path)
	if err != nil {
		return none, err
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		leave()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, hung(ctx, path)
	}
}

// enter waits for the turn of what is done in path's folder, and for there to be room.
func enter(ctx context.Context, path string) (leave func(), err error) {
	folder := filepath.Dir(path)
	lanes.Lock()
	l := lanes.byFolder[folder]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1)}
		lanes.byFolder[folder] = l
	}
	l.users++
	lanes.Unlock()
	drop := func() {
		lanes.Lock()
		defer lanes.Unlock()
		if l.users--; l.users == 0 {
			delete(lanes.byFolder, folder)
		}
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		drop()
		return nil, hung(ctx, path)
	}
	select {
	case lanes.all <- struct{}{}:
	case <-ctx.Done():
		<-l.turn
		drop()
		return nil, hung(ctx, path)
	}
	return func() {
		<-lanes.all
		<-l.turn
		drop()
	}, nil
}

func hung(ctx context.Context, path string) error {
	return fmt.Errorf("%s: not read in time, its disk may hang: %w", path, ctx.Err())
}
