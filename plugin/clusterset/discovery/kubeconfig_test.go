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
// taken up.
func TestKubeconfigFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kubeconfig")
	write(t, path, "first")
	feed, err := KubeconfigFeed(nil, model.Kubeconfig{File: path})
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Release()
	told := make(chan Kubeconfig, 10)
	now, known, cancel := feed.Subscribe(func(k Kubeconfig) { told <- k })
	defer cancel()
	if known {
		told <- now
	}
	next := func(content string, bad bool) {
		t.Helper()
		select {
		case k := <-told:
			if string(k.Content) != content || (k.Err != nil) != bad || k.Folder != dir {
				t.Fatalf("told %q, %v of %s", k.Content, k.Err, k.Folder)
			}
		case <-time.After(soon):
			t.Fatalf("not told of %q", content)
		}
	}
	next("first", false)
	do(t, os.Remove(path))
	next("first", true)
	write(t, path, "second")
	next("second", false)
}

// TestKubeconfigs: nothing is told twice, and nothing empty is taken.
func TestKubeconfigs(t *testing.T) {
	var told []string
	in := kubeconfigs{publish: func(k Kubeconfig) { told = append(told, fmt.Sprintf("%s %v", k.Content, k.Err)) }}
	bad := errors.New("forbidden")
	in.take(nil, bad)
	in.take(nil, bad)
	in.take([]byte("a"), nil)
	in.take([]byte("a"), nil)
	in.take([]byte{}, nil)
	in.take(nil, bad)
	in.take([]byte("a"), nil)
	want := []string{" forbidden", "a <nil>", "a kubeconfig: empty", "a forbidden", "a <nil>"}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestKubeconfigWithoutAPI(t *testing.T) {
	if _, err := KubeconfigFeed(nil, model.Kubeconfig{Secret: model.ObjectName{Namespace: "a", Name: "b"}}); !errors.Is(err, ErrNoAPI) {
		t.Errorf("error %v", err)
	}
}
