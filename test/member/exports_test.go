//go:build e2e

package member

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

func (s *subject) awaitExport(limit time.Duration, name string, there bool) time.Duration {
	s.t.Helper()
	return harness.Eventually(s.t, limit, "export of "+name, func() error {
		since, exported := s.View().Data.Exported(key(name))
		if exported != there || there && time.Since(since) > time.Hour {
			return fmt.Errorf("exported: %v, since %v", exported, since)
		}
		return nil
	})
}

// TestExports: their CRD comes and goes.
func TestExports(t *testing.T) {
	a := startAPI(t)
	a.create("one")
	missing, known := startMember(a), startMember(a)
	missing.use(a.up.Kubeconfig("c1"))
	<-missing.Synced()
	if missing.hasTold("info", "no ServiceExports") != 1 {
		t.Error("that there are none isn't told")
	}
	harness.DefineExports(t, a.dynamic)
	harness.Export(t, a.dynamic, namespace, "one")
	known.use(a.up.Kubeconfig("c1"))
	<-known.Synced()
	if _, exported := known.View().Data.Exported(key("one")); !exported {
		t.Error("an export that is there isn't in the first data")
	}
	harness.Export(t, a.dynamic, namespace, "two")
	known.awaitExport(settled, "two", true)
	a.must(a.dynamic.Resource(harness.ServiceExports).Namespace(namespace).Delete(t.Context(), "two", metav1.DeleteOptions{}))
	known.awaitExport(settled, "two", false)
	t.Logf("seen %v after the CRD came", missing.awaitExport(80*time.Second, "one", true))
	a.must(a.dynamic.Resource(harness.CRDs).Delete(t.Context(), harness.ServiceExportsCRD, metav1.DeleteOptions{}))
	missing.awaitExport(settled, "one", false)
	known.awaitExport(settled, "one", false)
	for _, s := range []*subject{missing, known} {
		if err := s.isFresh(); err != nil {
			t.Error(err)
		}
	}
}
