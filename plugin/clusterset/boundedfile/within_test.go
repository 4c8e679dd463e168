package boundedfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestWithin: what hangs is waited for until the context ends, holds one goroutine
// whatever else is to be done in its folder, and nothing of other folders.
func TestWithin(t *testing.T) {
	folder := t.TempDir()
	release, began := make(chan struct{}), make(chan struct{}, 1)
	var calls atomic.Int32
	hang := func() ([]byte, error) {
		calls.Add(1)
		began <- struct{}{}
		<-release
		return nil, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := Within(ctx, filepath.Join(folder, "a"), hang)
		first <- err
	}()
	<-began
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	before := runtime.NumGoroutine()
	for i := range 100 {
		if _, err := Within(ctx, filepath.Join(folder, fmt.Sprint(i)), hang); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	if n := runtime.NumGoroutine() - before; n > 0 || calls.Load() != 1 {
		t.Errorf("%d goroutines more, %d calls", n, calls.Load())
	}

	elsewhere := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(elsewhere, []byte("text"), 0o600))
	if content, err := ReadContext(t.Context(), elsewhere, 10); string(content) != "text" || err != nil {
		t.Errorf("%q, %v", content, err)
	}

	close(release)
	path := filepath.Join(folder, "file")
	must(t, os.WriteFile(path, []byte("back"), 0o600))
	if content, err := ReadContext(t.Context(), path, 10); string(content) != "back" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	if lanes.Len() != 0 || len(places) != 0 {
		t.Errorf("left: %d lanes, %d places", lanes.Len(), len(places))
	}
}

// TestWithinFolders: more folders than there is room for hang without any more
// goroutines, and all is done when they are back.
func TestWithinFolders(t *testing.T) {
	release := make(chan struct{})
	began := make(chan struct{}, maxHung)
	var waiting sync.WaitGroup
	for i := range maxHung {
		waiting.Go(func() {
			_, err := Within(t.Context(), fmt.Sprintf("/%d/file", i), func() (int, error) {
				began <- struct{}{}
				<-release
				return 0, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range maxHung {
		<-began
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Within(ended, "/more/file", func() (int, error) { return 0, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(release)
	waiting.Wait()
	if _, err := Within(t.Context(), "/more/file", func() (int, error) { return 0, nil }); err != nil {
		t.Error(err)
	}
}

// TestWithinDisk: a disk that hangs, of however many folders, leaves room to the others,
// and holds no more goroutines for it.
func TestWithinDisk(t *testing.T) {
	for _, test := range []struct{ hung, other string }{
		{"/hung/%d/file", "/other/file"},
		{"/hung/certificates/%d/file", "/other/certificates/file"},
		{"/mnt/hung/%d/file", "/mnt/other/file"},
		{"/mnt/hung/%d/file", "/mnt/file"},
		{"/var/run/secrets/hung/%d/file", "/var/run/secrets/other/file"},
		{"/var/run/secrets/hung/%d/file", "/etc/coredns/file"},
		{"hung/%d/file", "file"},
	} {
		t.Run(test.hung, func(t *testing.T) {
			release := make(chan struct{})
			ended, end := context.WithCancel(t.Context())
			var waiting sync.WaitGroup
			var began atomic.Int32
			for i := range 2 * maxHung {
				waiting.Go(func() {
					_, _ = Within(ended, fmt.Sprintf(test.hung, i), func() (int, error) {
						began.Add(1)
						<-release
						return 0, nil
					})
				})
			}
			for began.Load() < int32(above(fmt.Sprintf(test.hung, 0))[2].places) {
				runtime.Gosched()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if _, err := Within(ctx, test.other, func() (int, error) { return 0, nil }); err != nil {
				t.Error(err)
			}
			if n := began.Load(); n > maxHung/2 {
				t.Errorf("%d hang at the same time", n)
			}
			end()
			close(release)
			waiting.Wait()
		})
	}
}

// TestReadContextHung: a disk that hangs.
func TestReadContextHung(t *testing.T) {
	folder, release := clustertest.HungFolder(t)
	path := filepath.Join(folder, "file")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := ReadContext(ctx, path, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	release()
	if _, err := ReadContext(t.Context(), path, 10); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
