package clusterset

import (
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestSharedAPI: who wants the same data of a member shares them; a changed
// endpointPodNames has them read anew.
func TestSharedAPI(t *testing.T) {
	c := &model.Cluster{Name: "shared", Kubeconfig: model.Kubeconfig{File: "/nowhere"}}
	podNames := *c
	podNames.EndpointPodNames = true
	one, same, other := acquireAPI(c, nil), acquireAPI(c, nil), acquireAPI(&podNames, nil)
	if one != same || one == other {
		t.Errorf("the same: %v; with endpointPodNames: %v", one == same, one == other)
	}
	for _, m := range []*memberAPI{one, same, other} {
		m.release()
	}
}
