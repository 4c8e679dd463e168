package discovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestEventsPace: a ConfigMap that changes all the time, and is bad, makes few Events,
// which an API keeps for an hour; the first is made at once, and the last is made.
func TestEventsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int32
		var last atomic.Value
		client, err := kubernetes.NewForConfigAndClient(&rest.Config{Host: "http://127.0.0.1:1", QPS: -1}, &http.Client{
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				made.Add(1)
				last.Store(string(body))
				return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte("{}"))), Request: r}, err
			}),
		})
		do(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		e := newEvents(ctx, &API{client: client})
		configMap := &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "c"}}
		e.post(configMap, errors.New("first"))
		synctest.Wait()
		if made.Load() != 1 {
			t.Errorf("%d Events at once", made.Load())
		}
		const changes = 1000
		for i := range changes {
			e.post(configMap, fmt.Errorf("bad %d!", i))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(eventPause)
		synctest.Wait()
		if n := made.Load(); n > 2+int32(10*time.Second/eventPause) || !strings.Contains(last.Load().(string), fmt.Sprintf("bad %d!", changes-1)) {
			t.Errorf("%d Events, the last is %v", n, last.Load())
		}
		cancel()
		e.wait()
	})
}
