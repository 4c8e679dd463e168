package members

import (
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestExportsMarked: with exports marked, data have what is exported alone; a server block
// without it has data of its own.
func TestExportsMarked(t *testing.T) {
	api := localAPI(t)
	for _, marked := range []bool{false, true} {
		o := testOptions(func(*Set) {})
		o.Mode, o.API, o.ExportsMarked, o.Local = model.ModeResolve, api, marked, "c0"
		m := NewManager(o)
		m.SetClusterSet(setOf(1, "cluster.local."))
		defer m.release()
		data := m.current.Local.Data
		select {
		case <-data.Synced():
		case <-time.After(time.Minute):
			t.Fatal("not synced")
		}
		if kept := data.View().Data.Service("kept.default") != nil; kept == marked {
			t.Errorf("exports marked %v: a Service that isn't exported is kept: %v", marked, kept)
		}
	}
}
