package discovery

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestManySecrets: a ClusterSet's Secrets are read together. None waits for its turn
// among requests for others.
func TestManySecrets(t *testing.T) {
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "" {
			_ = json.NewEncoder(w).Encode(&v1.SecretList{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}, ListMeta: metav1.ListMeta{ResourceVersion: "1"},
			})
			return
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(empty.Close)
	api, err := NewAPI(kubeconfigOf(t, empty.URL, "", "token: x"), "")
	do(t, err)
	end := time.Now().Add(30 * time.Second) // client-go's own bound would make it 78 s
	feeds := make([]*Feed[TLSUpdate], 200)
	for i := range feeds {
		feeds[i] = api.TLSFromSecret(model.ObjectName{Namespace: "n", Name: fmt.Sprint("s", i)})
		t.Cleanup(feeds[i].Release)
	}
	for i, feed := range feeds {
		if !feed.WaitUntil(end) {
			t.Fatalf("Secret %d isn't read", i)
		}
	}
}
