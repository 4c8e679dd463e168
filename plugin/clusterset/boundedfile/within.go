package boundedfile

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
)

// maxHung bounds the folders whose disks hang at the same time: each of them holds a
// thread, of which Go has ten thousand.
const maxHung = 256

// lanes are of the folders in which something is done now, one after the other: a disk that
// hangs holds one goroutine for each folder, however often its files are looked at. A folder
// and all those below it have half the places of the folder above, so that one disk, wherever
// it is mounted, leaves as many to others. Only paths say what is on which disk: to ask one
// that hangs is to hang.
var lanes registry.Registry[folder, lane]

// places are for all folders together.
var places = make(chan struct{}, maxHung)

// folder is one folder, or one and all below it.
type folder struct {
	path  string
	below bool
}

// lane has as many places as may do something at the same time.
type lane chan struct{}

// Close has nothing to end.
func (lane) Close() {}

// ReadContext is Read that gives up when ctx ends.
func ReadContext(ctx context.Context, path string, most int64) ([]byte, error) {
	return Within(ctx, path, func() ([]byte, error) { return Read(path, most) })
}

// Within calls do, which may hang on the disk that path is on, and returns when do
// does, or when ctx ends. Then do goes on by itself, and holds its place until it returns.
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

// enter waits for a place in the lanes of path's folder, and among all.
func enter(ctx context.Context, path string) (leave func(), err error) {
	var held []func()
	leave = func() {
		for _, release := range slices.Backward(held) {
			release()
		}
	}
	for _, f := range above(path) {
		l, _ := lanes.Acquire(f.folder, func() (lane, error) { return make(lane, f.places), nil })
		select {
		case l <- struct{}{}:
			held = append(held, func() { <-l; lanes.Release(f.folder) })
		case <-ctx.Done():
			lanes.Release(f.folder)
			leave()
			return nil, hung(ctx, path)
		}
	}
	select {
	case places <- struct{}{}:
		held = append(held, func() { <-places })
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

// above returns the path's folder by itself, and then, each with all below it, that folder
// and those above it but the topmost; with the places that each has.
func above(path string) []bound {
	at := filepath.Dir(path)
	bounds := []bound{{folder{path: at}, 1}}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		bounds = append(bounds, bound{folder: folder{at, true}})
	}
	half := maxHung
	for i := range slices.Backward(bounds[1:]) {
		half = max(half/2, 1)
		bounds[1+i].places = half
	}
	return bounds
}

func hung(ctx context.Context, path string) error {
	return fmt.Errorf("%s: not read in time, its disk may hang: %w", path, ctx.Err())
}
