package members

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// localAPI is the one that a CoreDNS has, with one ServiceImport, "web", and one Service,
// "kept".
func localAPI(t *testing.T) *discovery.API {
	t.Helper()
	a := apitest.Start(t, true, map[string]http.HandlerFunc{
		apitest.ImportsPath: apitest.Imports(apitest.Import("web", `{"type":"ClusterSetIP","ips":["10.9.0.1"]}`)),
	})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, a.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	api, err := discovery.NewAPI(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestImports: imports are watched for names over clusters alone, and so are the local
// member's data in mode auto; and nothing in mode forward.
func TestImports(t *testing.T) {
	api := localAPI(t)
	for _, tc := range []struct {
		name           string
		mode           model.Mode
		api            *discovery.API
		multicluster   bool
		marked         bool
		kubeconfig     bool // of the other member
		imports, local bool
	}{
		{"names over clusters", model.ModeAuto, api, true, false, true, true, true},
		{"all known by DNS", model.ModeAuto, api, true, false, false, true, false},
		{"all known by DNS, exports marked", model.ModeAuto, api, true, true, false, true, true},
		{"and asking nobody", model.ModeResolve, api, true, false, false, true, true},
		{"by DNS alone", model.ModeForward, api, true, false, true, false, false},
		{"without an API", model.ModeAuto, nil, true, false, true, false, false},
		{"members' names", model.ModeAuto, api, false, false, true, false, false},
		{"members' names, asking nobody", model.ModeResolve, api, false, false, false, false, true},
	} {
		o := testOptions(func(*Set) {})
		o.Mode, o.API, o.Multicluster, o.ExportsMarked, o.Local = tc.mode, tc.api, tc.multicluster, tc.marked, "c0"
		m := NewManager(o)
		set := setOf(2, "cluster.local.")
		if tc.kubeconfig {
			set.Clusters[1].Kubeconfig.File = "/nowhere"
		}
		m.SetClusterSet(set)
		s := m.current
		if got := s.Imports != nil; got != tc.imports {
			t.Errorf("%s: imports watched: %v", tc.name, got)
		}
		if got := s.Local.Data != nil; got != tc.local {
			t.Errorf("%s: local data watched: %v", tc.name, got)
		}
		m.release()
	}
	if n := allData.Len(); n != 0 {
		t.Errorf("%d data are still watched", n)
	}
}

// release releases what is watched, without waiting for queries.
func (m *Manager) release() {
	for _, one := range m.current.byName {
		if one.Data != nil {
			one.Data.Release()
		}
	}
	if m.imports != nil {
		m.imports.Release()
	}
}

// TestImportsShared: server blocks, and the sets of one, have the same imports, until the
// last one is closed and its queries are over.
func TestImportsShared(t *testing.T) {
	api := localAPI(t)
	start := func() *Manager {
		o := testOptions(func(*Set) {})
		o.API, o.Multicluster = api, true
		m := NewManager(o)
		m.SetClusterSet(setOf(1, "cluster.local."))
		return m
	}
	one, other := start(), start()
	imports := one.current.Imports
	one.SetClusterSet(setOf(2, "cluster.local."))
	if imports != one.current.Imports || imports != other.current.Imports {
		t.Error("not the same imports")
	}
	select {
	case <-imports.Synced():
	case <-time.After(time.Minute):
		t.Fatal("not synced")
	}
	d := imports.View().Data
	if s := d.Find("web.default"); s == nil || d.Find("kept.default") != nil {
		t.Errorf("%+v", s)
	}
	one.Close()
	one.Wait()
	if imports.View().State != member.Fresh {
		t.Error("closed, and the other block has them")
	}
	other.Close()
	if imports.View().State != member.Fresh {
		t.Error("closed before the last query's end")
	}
	other.Wait()
	if imports.View().State != member.Unsynced || allData.Len() != 0 {
		t.Error("not closed")
	}
}
