package discovery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestKubeconfigFile: what was read stays when the file is gone, and a new one is
// read.
func TestKubeconfigFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kubeconfig")
	write(t, path, "first")
	feed, err := KubeconfigFeed(nil, model.Kubeconfig{File: path})
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Release()
	published := make(chan Kubeconfig, 10)
	now, known, cancel := feed.Subscribe(func(k Kubeconfig) { published <- k })
	defer cancel()
	if known {
		published <- now
	}
	next := func(content string, bad bool) {
		t.Helper()
		select {
		case k := <-published:
			if string(k.Content) != content || (k.Err != nil) != bad || k.Folder != dir {
				t.Fatalf("published %q, %v of %s", k.Content, k.Err, k.Folder)
			}
		case <-time.After(soon):
			t.Fatalf("%q: not published", content)
		}
	}
	next("first", false)
	do(t, os.Remove(path))
	next("first", true)
	write(t, path, "second")
	next("second", false)
}

// TestLastKubeconfig: nothing is published twice, and nothing empty is used.
func TestLastKubeconfig(t *testing.T) {
	var published []string
	last := lastKubeconfig{publish: func(k Kubeconfig) { published = append(published, fmt.Sprintf("%s %v", k.Content, k.Err)) }}
	bad := errors.New("forbidden")
	last.set(nil, bad)
	last.set(nil, bad)
	last.set([]byte("a"), nil)
	last.set([]byte("a"), nil)
	last.set([]byte{}, nil)
	last.set(nil, bad)
	last.set([]byte("a"), nil)
	want := []string{" forbidden", "a <nil>", "a kubeconfig: empty", "a forbidden", "a <nil>"}
	if fmt.Sprint(published) != fmt.Sprint(want) {
		t.Errorf("published %q, want %q", published, want)
	}
}

func TestKubeconfigWithoutAPI(t *testing.T) {
	if _, err := KubeconfigFeed(nil, model.Kubeconfig{Secret: model.ObjectName{Namespace: "a", Name: "b"}}); !errors.Is(err, ErrNoAPI) {
		t.Errorf("error %v", err)
	}
}
