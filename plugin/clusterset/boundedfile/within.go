package boundedfile

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
)

// maxHung bounds the folders whose disks hang at the same time: each of them holds a
// thread, of which Go has ten thousand.
const maxHung = 256

// lanes are the folders in which something is done just now. What is done in one
// folder is done one after the other, so that a disk that hangs holds one goroutine for
// each folder, however often its files are looked at. A folder and all those below it
// have half the places of the folder above: one disk, wherever it is mounted, leaves as
// many to others. Only paths say what is on which: to ask a disk that hangs is to hang.
var lanes = struct {
	sync.Mutex
	byFolder map[folder]*lane
	all      chan struct{}
}{byFolder: make(map[folder]*lane), all: make(chan struct{}, maxHung)}

// folder is one folder, or one and all below it.
type folder struct {
	path  string
	below bool
}

type lane struct {
	turn  chan struct{} // as many as have room
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
	var held []func()
	leave = func() {
		for _, release := range slices.Backward(held) {
			release()
		}
	}
	for _, f := range above(path) {
		l := join(f.folder, f.places)
		select {
		case l.turn <- struct{}{}:
			held = append(held, func() { <-l.turn; quit(f.folder, l) })
		case <-ctx.Done():
			quit(f.folder, l)
			leave()
			return nil, hung(ctx, path)
		}
	}
	select {
	case lanes.all <- struct{}{}:
		held = append(held, func() { <-lanes.all })
	case <-ctx.Done():
		leave()
		return nil, hung(ctx, path)
	}
	return leave, nil
}

type bound struct {
	folder
	places int
}

// above are the path's folder, and with all below them it and those above but the
// topmost, with the places that each has.
func above(path string) []bound {
	at := filepath.Dir(path)
	bounds := []bound{{folder{path: at}, 1}}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		bounds = append(bounds, bound{folder: folder{at, true}})
	}
	places := maxHung
	for i := range slices.Backward(bounds[1:]) {
		places = max(places/2, 1)
		bounds[1+i].places = places
	}
	return bounds
}

func join(f folder, places int) *lane {
	lanes.Lock()
	defer lanes.Unlock()
	l := lanes.byFolder[f]
	if l == nil {
		l = &lane{turn: make(chan struct{}, places)}
		lanes.byFolder[f] = l
	}
	l.users++
	return l
}

func quit(f folder, l *lane) {
	lanes.Lock()
	defer lanes.Unlock()
	if l.users--; l.users == 0 {
		delete(lanes.byFolder, f)
	}
}

func hung(ctx context.Context, path string) error {
	return fmt.Errorf("%s: not read in time, its disk may hang: %w", path, ctx.Err())
}
