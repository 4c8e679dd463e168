package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// secretVersion is a Secret's n-th.
func secretVersion(n int) *v1.Secret {
	return &v1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "s", UID: "u", ResourceVersion: fmt.Sprint(n)},
		Data:       map[string][]byte{"value": fmt.Append(nil, n)},
	}
}

// manyVersions is an API whose Secret changes so many times in a row. read is closed
// when they were.
func manyVersions(t *testing.T, n int, read chan struct{}) *httptest.Server {
	t.Helper()
	var watches atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		out := json.NewEncoder(w)
		if r.URL.Query().Get("watch") == "" {
			list := &v1.SecretList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}, Items: []v1.Secret{*secretVersion(1)}}
			list.ResourceVersion = "1"
			_ = out.Encode(list)
			return
		}
		if watch := watches.Add(1); watch > 1 {
			if watch == 2 {
				close(read)
			}
			<-r.Context().Done()
			return
		}
		for i := 2; i <= n; i++ {
			_ = out.Encode(map[string]any{"type": "MODIFIED", "object": secretVersion(i)})
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestWatchBurst: an object that changes faster than its changes are worked on is seen as it
// is then, and not too soon. What it was in between isn't kept: a Secret's writer could fill
// the memory with that.
func TestWatchBurst(t *testing.T) {
	const versions = 1000
	read := make(chan struct{})
	api, err := NewAPI(kubeconfigOf(t, manyVersions(t, versions, read).URL, "", "token: x"), "")
	do(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var seen []string
	var last time.Time
	o := object{api: api, resource: "secrets", example: &v1.Secret{}, name: model.ObjectName{Namespace: "n", Name: "s"}, pause: time.Second}
	o.watch(ctx, func(obj runtime.Object) {
		secret, _ := obj.(*v1.Secret)
		if secret == nil {
			return
		}
		if soon := time.Since(last); soon < o.pause {
			t.Errorf("reported again after %v", soon)
		}
		last = time.Now()
		seen = append(seen, string(secret.Data["value"]))
		if len(seen) == 2 {
			select {
			case <-read:
			case <-ctx.Done():
			}
		}
		if secret.ResourceVersion == fmt.Sprint(versions) {
			cancel()
		}
	}, func(err error) { t.Log(err) })
	if len(seen) > versions/2 || len(seen) == 0 || seen[len(seen)-1] != fmt.Sprint(versions) {
		t.Errorf("%d versions seen", len(seen))
	}
}

// TestWatchIdle: a change that takes long is followed by a pause, so that to change an
// object all the time takes a fifth of a processor; what changes rarely isn't held up.
func TestWatchIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const work = time.Second
		var worked atomic.Int64
		var seen atomic.Value
		w := newWatcher(object{}, func(obj runtime.Object) {
			time.Sleep(work)
			worked.Add(1)
			seen.Store(obj)
		}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.run(ctx) })
		for i := range 1000 {
			w.set(secretVersion(i))
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		if n := worked.Load(); n > 100/(1+idle) {
			t.Errorf("%d s of 100", n)
		}
		time.Sleep(time.Minute)
		rare := secretVersion(1000)
		w.set(rare)
		time.Sleep(work)
		synctest.Wait()
		if seen.Load() != rare {
			t.Error("a rare change is held up")
		}
		cancel()
		running.Wait()
	})
}
