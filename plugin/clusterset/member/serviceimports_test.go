package member

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// waitImports is how long it takes in tests until CRDs are looked for again.
const waitImports = 20 * time.Millisecond

const (
	clusterSetIP = `{"type":"ClusterSetIP","ips":["10.9.0.1"],"ports":[{"port":80}]}`
	headless     = `{"type":"Headless","ports":[{"port":80}]}`
)

// exportsAndImports are what an API with all of the MCS API serves.
func exportsAndImports(versions ...string) map[string][]string {
	served := make(map[string][]string)
	for _, version := range versions {
		served[version] = []string{"serviceexports", "serviceimports"}
	}
	return served
}

// TestImports: imports and their slices come, change and go in any order.
func TestImports(t *testing.T) {
	a := startImportsAPI(t, exportsAndImports("v1beta1"))
	a.setImport("first", clusterSetIP)
	a.setSlice("first-1", "first", "c1", "10.0.0.1")
	s := a.startImports()
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"what there is", func() {}, "first.default ClusterSetIP 10.9.0.1 c1:10.0.0.1"},
		{"an import before its slice", func() { a.setImport("web", headless) }, "first.default ClusterSetIP 10.9.0.1 c1:10.0.0.1; web.default Headless"},
		{"its slice", func() { a.setSlice("web-1", "web", "c1", "10.0.0.2") }, "first.default ClusterSetIP 10.9.0.1 c1:10.0.0.1; web.default Headless c1:10.0.0.2"},
		{"another one's", func() { a.setSlice("web-2", "web", "c2", "10.0.0.2") }, "first.default ClusterSetIP 10.9.0.1 c1:10.0.0.1; web.default Headless c1:10.0.0.2 c2:10.0.0.2"},
		{"an import that changes", func() { a.setImport("web", clusterSetIP) }, "first.default ClusterSetIP 10.9.0.1 c1:10.0.0.1; web.default ClusterSetIP 10.9.0.1 c1:10.0.0.2 c2:10.0.0.2"},
		{"one deleted before its slice", func() { a.setImport("first", "") }, "web.default ClusterSetIP 10.9.0.1 c1:10.0.0.2 c2:10.0.0.2"},
		{"its slice", func() { a.setSlice("first-1", "", "", "10.0.0.1") }, "web.default ClusterSetIP 10.9.0.1 c1:10.0.0.2 c2:10.0.0.2"},
		{"one deleted after its slices", func() {
			a.setSlice("web-1", "", "", "10.0.0.2")
			a.setSlice("web-2", "", "", "10.0.0.2")
			a.setImport("web", "")
		}, ""},
		{"a slice before its import", func() {
			a.setSlice("late-1", "late", "c2", "10.0.0.3")
			a.setImport("late", headless)
		}, "late.default Headless c2:10.0.0.3"},
		{"a bad one beside it", func() { a.setImport("bad", `{"type":5,"ips":["x"],"ports":"y"}`) }, "bad.default ClusterSetIP; late.default Headless c2:10.0.0.3"},
	} {
		step.do()
		s.awaitImports(step.want)
		t.Log(step.what)
	}
	d := s.View().Data
	if d.Find("late.default") == nil || d.Service("late.default").Type != model.Headless {
		t.Error("an import's namespace isn't known")
	}
	if services, endpointSlices := d.Count(); services != 2 || endpointSlices != 1 {
		t.Errorf("%d services, %d slices", services, endpointSlices)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.labels["multicluster.kubernetes.io/service-name"] || len(a.labels) != 2 || a.labels[""] {
		t.Errorf("slices asked for by %v", a.labels)
	}
	got := s.Status()
	if len(got.Resources) != 2 || got.Resources[0].Name != "serviceimports" || !got.Resources[0].Watched || !got.Resources[1].Watched {
		t.Errorf("%+v", got)
	}
}

// TestImportsVersions: the best version of ServiceImports that the API has is watched,
// whatever versions its ServiceExports have.
func TestImportsVersions(t *testing.T) {
	for name, tc := range map[string]struct {
		served map[string][]string
		want   string
	}{
		"v1alpha1":     {exportsAndImports("v1alpha1"), "v1alpha1"},
		"both":         {exportsAndImports("v1alpha1", "v1beta1"), "v1beta1"},
		"one of each":  {map[string][]string{"v1beta1": {"serviceexports"}, "v1alpha1": {"serviceimports"}}, "v1alpha1"},
		"a new one":    {exportsAndImports("v1", "v1beta1"), "v1beta1"},
		"exports only": {map[string][]string{"v1beta1": {"serviceexports"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := startImportsAPI(t, tc.served)
			a.setImport("web", clusterSetIP)
			s := a.startImports()
			want := ""
			if tc.want != "" {
				want = "web.default ClusterSetIP 10.9.0.1"
			}
			s.awaitImports(want)
			s.Stop()
			for _, version := range resources.MCSVersions {
				if asked := a.Count(resources.MCSPath(version, "serviceimports")) > 0; asked != (version == tc.want) {
					t.Errorf("asked for %s: %v", version, asked)
				}
			}
		})
	}
}

// TestImportsCRD: an API without ServiceImports has none, and isn't asked for more; they
// are there once it has, and go with their CRD.
func TestImportsCRD(t *testing.T) {
	a := startImportsAPI(t, nil)
	a.setImport("web", headless)
	a.setSlice("web-1", "web", "c1", "10.0.0.1")
	s := a.startImports()
	s.awaitImports("")
	s.await("Imports of the local API: its API has no ServiceImports")
	if n := a.Count(apitest.SlicesPath); n > 0 {
		t.Errorf("slices listed %d times for no import", n)
	}
	path := resources.MCSPath("v1beta1", "serviceimports")
	for range 2 {
		before := s.View()
		a.change(func() { a.served, a.refused[path] = exportsAndImports("v1beta1"), 0 })
		s.awaitImports("web.default Headless c1:10.0.0.1")
		a.change(func() { a.served, a.refused[path] = nil, http.StatusNotFound })
		s.awaitImports("")
		if before.State != Fresh {
			t.Error("not fresh without a CRD")
		}
	}
	s.await("has ServiceImports now")
	for _, line := range s.lines() {
		if strings.Contains(line, "server_error") || strings.Contains(line, "recovered") {
			t.Errorf("logged: %s", line)
		}
	}
}

// TestImportsForbidden: imports that CoreDNS isn't allowed to read are none, which is
// logged and counted once; and there when it is allowed.
func TestImportsForbidden(t *testing.T) {
	imports := resources.MCSPath("v1beta1", "serviceimports")
	for resource, path := range map[string]string{"serviceimports": imports, "endpointslices": apitest.SlicesPath, "its group": apitest.GroupPath} {
		t.Run(resource, func(t *testing.T) {
			a := startImportsAPI(t, exportsAndImports("v1beta1"))
			a.refused[path] = http.StatusForbidden
			a.setImport("web", headless)
			a.setSlice("web-1", "web", "c1", "10.0.0.1")
			s := a.startImports()
			s.awaitImports("")
			s.until("several tries", func() bool { return a.Count(apitest.GroupPath) > 3 })
			if resource == "its group" {
				resource = "serviceimports"
			}
			s.await(resource, "forbidden", "allow list and watch of "+resource)
			if n := testutil.ToFloat64(s.metrics.Troubles[failure.Forbidden]); n != 1 {
				t.Errorf("counted %v times", n)
			}
			a.change(func() { a.refused[path] = 0 })
			s.awaitImports("web.default Headless c1:10.0.0.1")
			s.await(resource + ": recovered")
			warned := 0
			for _, line := range s.lines() {
				if strings.Contains(line, "forbidden") {
					warned++
				}
			}
			if warned != 1 {
				t.Errorf("warned %d times: %q", warned, s.lines())
			}
			if path != apitest.GroupPath { // the right is taken away
				a.change(func() { a.refused[path] = http.StatusForbidden })
				s.awaitImports("")
			}
		})
	}
}

// TestImportsEndpointsFirst: where imports are there all at once, no headless one is ever
// without its endpoints.
func TestImportsEndpointsFirst(t *testing.T) {
	a := startImportsAPI(t, nil)
	a.setImport("web", headless)
	a.setSlice("web-1", "web", "c1", "10.0.0.1")
	s := a.startImports()
	s.awaitImports("")
	path := resources.MCSPath("v1beta1", "serviceimports")
	asked := make(chan struct{})
	a.Replace(apitest.SlicesPath, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-asked:
			t.Error("imports are listed before their slices")
		case <-time.After(100 * time.Millisecond): // they would be asked for at once
		}
		a.listSlices(w, r)
	})
	a.Replace(path, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		a.listImports(w, r)
	})
	a.change(func() { a.served = exportsAndImports("v1beta1") })
	s.awaitImports("web.default Headless c1:10.0.0.1")
}

// TestImportsUnsynced: nothing is known until the API answers, and what was known is stale
// when it is gone.
func TestImportsUnsynced(t *testing.T) {
	a := startImportsAPI(t, exportsAndImports("v1beta1"))
	a.refused[apitest.GroupPath] = http.StatusServiceUnavailable
	a.setImport("web", clusterSetIP)
	s := a.startImports()
	s.until("several tries", func() bool { return a.Count(apitest.GroupPath) > 1 })
	if v := s.View(); v.State != Unsynced || v.Err == nil {
		t.Errorf("%+v", v)
	}
	a.change(func() { a.refused[apitest.GroupPath] = 0 })
	s.awaitImports("web.default ClusterSetIP 10.9.0.1")
	a.change(func() {
		for _, path := range []string{apitest.ProbePath, apitest.SlicesPath, resources.MCSPath("v1beta1", "serviceimports")} {
			a.refused[path] = http.StatusServiceUnavailable
		}
	})
	s.until("stale data", func() bool { return s.View().State == Stale })
	if got := describe(s.View().Data); got != "web.default ClusterSetIP 10.9.0.1" {
		t.Errorf("%q", got)
	}
}

// TestImportsTooLarge: what the API may send of imports has the bounds of a member's data.
func TestImportsTooLarge(t *testing.T) {
	large := apitest.Import("web", `{"x":"`+strings.Repeat("x", 4<<20)+`"}`)
	path := resources.MCSPath("v1beta1", "serviceimports")
	for name, tc := range map[string]struct {
		path   string
		handle http.HandlerFunc
	}{
		"an object": {path, func(w http.ResponseWriter, _ *http.Request) { apitest.RespondJSON(w, apitest.ImportList(large)) }},
		"an event": {path + "?watch", apitest.Unstreamed(func(w http.ResponseWriter, _ *http.Request) {
			apitest.RespondJSON(w, apitest.ImportEvent("ADDED", large))
		})},
		"its blanks": {path, func(w http.ResponseWriter, r *http.Request) {
			apitest.RespondJSON(w, "{")
			apitest.Forever(w, r, []byte(strings.Repeat(" ", 1<<10)))
		}},
		"resources": {apitest.GroupPath + "/v1beta1", func(w http.ResponseWriter, r *http.Request) {
			apitest.RespondJSON(w, "{")
			apitest.Forever(w, r, []byte(strings.Repeat(" ", 1<<10)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := startImportsAPI(t, exportsAndImports("v1beta1"))
			a.Replace(tc.path, tc.handle)
			s := a.startImports()
			s.await("too_large")
			s.until("the session's end", func() bool { v := s.View(); return v.State != Fresh && v.Err != nil })
		})
	}
}

// TestImportsCost: imports count as a member's objects do.
func TestImportsCost(t *testing.T) {
	a := startImportsAPI(t, exportsAndImports("v1beta1"))
	s := a.startImports()
	s.awaitImports("")
	s.Member.mu.Lock()
	session := s.live
	s.Member.mu.Unlock()
	if err := session.addCost(resources.Services, resources.MaxObjects); err != nil {
		t.Fatal(err)
	}
	a.setImport("one", headless)
	s.await("serviceimports", "too_large", "objects past")
}
