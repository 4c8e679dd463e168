package member

import (
	"net/http"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// TestHungLists: an API whose lists all hang doesn't hold up those of another.
func TestHungLists(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	strange := make(map[string]http.HandlerFunc)
	for _, path := range []string{apitest.ServicesPath, apitest.SlicesPath, apitest.NamespacesPath, apitest.ExportsPath} {
		strange[path], strange[path+"?watch"] = hang, hang
	}
	bad, good := apitest.Start(t, true, strange), apitest.Start(t, true, nil)
	hung, other := startMember(t), startMember(t)
	other.options.Gate = hung.options.Gate
	hung.SetCredentials(from(bad), nil)
	hung.until("lists", func() bool { return len(hung.options.Gate) >= cap(hung.options.Gate)-1 })
	other.SetCredentials(from(good), nil)
	<-other.Synced()
	if most := cap(hung.lists); most >= cap(hung.options.Gate) {
		t.Errorf("one member may have %d slots: all", most)
	}
}
