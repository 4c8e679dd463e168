package member

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestOnlyExported: what is kept follows exports, marks, Services and slices in any order.
func TestOnlyExported(t *testing.T) {
	a := startExportsAPI(t)
	for _, name := range []string{"web", "db", "marked", "hidden"} {
		a.service(name, "10.0.0.1", "")
		a.slice(name+"-1", name, "10.1.0.1")
	}
	a.service("marked", "10.0.0.2", ciliumMark)
	a.export("web", true)
	s := a.startMember()
	const marked, web = "marked[10.0.0.2][10.1.0.1] ", "web[10.0.0.1][10.1.0.1]"
	const both = marked + web
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"what there is", func() {}, both},
		{"an export of a Service that was dropped", func() { a.export("db", true) }, "db[10.0.0.1][10.1.0.1] " + both},
		{"a change of it", func() { a.service("db", "10.0.0.3", "") }, "db[10.0.0.3][10.1.0.1] " + both},
		{"a slice of it", func() { a.slice("db-2", "db", "10.1.0.2") }, "db[10.0.0.3][10.1.0.1 10.1.0.2] " + both},
		{"a slice moves away", func() { a.slice("db-2", "hidden", "10.1.0.2") }, "db[10.0.0.3][10.1.0.1] " + both},
		{"and back", func() { a.slice("db-2", "db", "10.1.0.2") }, "db[10.0.0.3][10.1.0.1 10.1.0.2] " + both},
		{"another one's Service and slice change", func() {
			a.service("hidden", "10.0.0.9", "")
			a.slice("hidden-2", "hidden", "10.1.0.9")
			a.awaitApplied(s)
		}, "db[10.0.0.3][10.1.0.1 10.1.0.2] " + both},
		{"its export is deleted", func() { a.export("db", false) }, both},
		{"changes while it isn't exported", func() {
			a.service("db", "10.0.0.4", "")
			a.slice("db-1", "db", "")
			a.slice("db-3", "db", "10.1.0.3")
			a.awaitApplied(s)
		}, both},
		{"exported again", func() { a.export("db", true) }, "db[10.0.0.4][10.1.0.2 10.1.0.3] " + both},
		{"the Service is deleted", func() { a.service("db", "", "") }, both + " and 1, 2"},
		{"and made anew", func() { a.service("db", "10.0.0.5", "") }, "db[10.0.0.5][10.1.0.2 10.1.0.3] " + both},
		{"a mark beside the export", func() { a.service("db", "10.0.0.5", ciliumMark); a.awaitApplied(s) }, "db[10.0.0.5][10.1.0.2 10.1.0.3] " + both},
		{"the mark alone", func() { a.export("db", false); a.awaitApplied(s) }, "db[10.0.0.5][10.1.0.2 10.1.0.3] " + both},
		{"neither", func() { a.service("db", "10.0.0.5", "") }, both},
		{"a mark", func() { a.service("hidden", "10.0.0.9", "io.cilium/global-service") }, "hidden[10.0.0.9][10.1.0.1 10.1.0.9] " + both},
		{"deleted with its mark", func() { a.service("hidden", "", "") }, both},
		{"an export before its Service", func() { a.export("new", true); a.awaitApplied(s) }, both},
		{"a slice before its Service", func() { a.slice("new-1", "new", "10.1.0.7") }, both + " and 1, 1"},
		{"its Service", func() { a.service("new", "10.0.0.7", "") }, marked + "new[10.0.0.7][10.1.0.7] " + web},
		{"its export is gone", func() { a.export("new", false) }, both},
		{"exports of what can be no Service", func() { a.export("a.b", true); a.export(strings.Repeat("x", 64), true); a.awaitApplied(s) }, both},
	} {
		step.do()
		s.awaitKept(step.want)
		t.Log(step.what)
	}
	if n := a.Count(apitest.ServicesPath); n != 1 {
		t.Errorf("%d lists of all Services", n)
	}
	got := s.costs()
	if got != [resources.Count]int64{resources.Services: 2, resources.EndpointSlices: 2, resources.Namespaces: 1, resources.Exports: 3} {
		t.Errorf("costs %v", got)
	}
}

// costs returns what the session's resources count as.
func (s *subject) costs() (costs [resources.Count]int64) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	for n := range costs {
		costs[n] = s.live.cost[n].Load()
	}
	return costs
}

// TestFetchRaces: events during a fetch are newer than what it brings, and what isn't wanted
// any more isn't kept.
func TestFetchRaces(t *testing.T) {
	for _, tc := range []struct {
		name, path string
		during     func(*exportsAPI)
		want       string
	}{
		{"nothing", fetchSlices, func(*exportsAPI) {}, "web[10.0.0.1][10.1.0.1]"},
		{"a changed Service", fetchService, func(a *exportsAPI) { a.service("web", "10.0.0.2", "") }, "web[10.0.0.2][10.1.0.1]"},
		{"a changed slice", fetchSlices, func(a *exportsAPI) { a.slice("web-1", "web", "10.1.0.2") }, "web[10.0.0.1][10.1.0.2]"},
		{"a new slice", fetchSlices, func(a *exportsAPI) { a.slice("web-2", "web", "10.1.0.2") }, "web[10.0.0.1][10.1.0.1 10.1.0.2]"},
		{"a slice that went", fetchSlices, func(a *exportsAPI) { a.slice("web-1", "web", "") }, "web[10.0.0.1][]"},
		{"a slice that moved", fetchSlices, func(a *exportsAPI) { a.slice("web-1", "other", "10.1.0.1") }, "web[10.0.0.1][]"},
		{"a Service that went", fetchService, func(a *exportsAPI) { a.service("web", "", "") }, "and 1, 1"},
		{"an export that went", fetchService, func(a *exportsAPI) { a.export("web", false) }, ""},
		{"an export that went and came back", fetchService, func(a *exportsAPI) {
			a.export("web", false)
			a.service("web", "10.0.0.3", "")
			a.export("web", true)
		}, "web[10.0.0.3][10.1.0.1]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := startExportsAPI(t)
			a.service("web", "10.0.0.1", "")
			a.slice("web-1", "web", "10.1.0.1")
			s := a.startMember()
			s.awaitKept("")
			done := make(chan struct{})
			a.hold(tc.path, func() {
				defer close(done)
				tc.during(a)
				a.awaitApplied(s)
			})
			a.export("web", true)
			<-done
			s.awaitKept(tc.want)
			s.until("fetched", s.nothingMissing)
			s.awaitKept(tc.want)
		})
	}
}

// awaitApplied waits until all events have been applied, by marked Services, and deletions
// of slices, that come after them. It needs no fetch.
func (a *exportsAPI) awaitApplied(s *subject) {
	a.service("last", "10.9.9.9", ciliumMark)
	s.until("last", func() bool { return s.View().Data.Service("last.default") != nil })
	a.slice("last-1", "last", "10.9.9.9")
	s.until("its slice", func() bool { return len(s.View().Data.Service("last.default").Slices) == 1 })
	a.export("last", true)
	s.until("its export", func() bool { return s.View().Data.HasExport("last.default") })
	a.slice("last-1", "last", "")
	a.service("last", "", "")
	a.export("last", false)
	s.until("last gone", func() bool {
		d := s.View().Data
		return d.Service("last.default") == nil && !d.HasExport("last.default")
	})
}

// TestWantedDuringLists: an export that comes while the first Services or slices are listed
// has its Service fetched, and its slices.
func TestWantedDuringLists(t *testing.T) {
	for _, path := range []string{apitest.ServicesPath, apitest.SlicesPath} {
		a := startExportsAPI(t)
		a.service("web", "10.0.0.1", "")
		a.slice("web-1", "web", "10.1.0.1")
		var s *subject
		started := make(chan struct{})
		a.hold(path, func() {
			<-started
			a.export("web", true)
			s.until("exported", func() bool {
				s.state.mu.Lock()
				defer s.state.mu.Unlock()
				return s.connected.only.isExported("web.default")
			})
		})
		s = a.startMember()
		close(started)
		s.awaitKept("web[10.0.0.1][10.1.0.1]")
	}
}

// TestWantedAfterDropped: what a list dropped as it came, and is wanted when the list is
// whole, is fetched, whatever was fetched before.
func TestWantedAfterDropped(t *testing.T) {
	s := syncedSession(t)
	for n, item := range []decode.Item{
		resources.Services: serviceItem("service-1.default"), resources.EndpointSlices: sliceItem("default/slice-1", "service-1.default"),
	} {
		i, object, of := s.informers[n], &decode.Object{Item: item}, make(map[string]decode.Item)
		message, err := []interface{ Marshal() ([]byte, error) }{resources.Services: serviceLike(1), resources.EndpointSlices: sliceLike(1)}[n].Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for _, decoded := range []bool{false, true} {
			s.m.data = model.NewData()
			s.only.begin(i)
			if decoded {
				s.only.strip(i, object)
				if of = map[string]decode.Item{object.Item.Key: object.Item}; !object.Item.Dropped || object.Item.Service != nil || object.Item.Slice != nil {
					t.Fatalf("not dropped: %+v", object.Item)
				}
			} else if skips, err := s.only.skips(i, message); !skips || err != nil {
				t.Fatalf("not skipped: %v", err)
			}
			c := s.m.data.Change()
			c.SetExport("service-1.default", time.Now())
			c.SetExport("other.default", time.Now())
			s.m.data = c.Done(time.Now())
			if skips, _ := s.only.skips(i, message); skips {
				t.Errorf("%s: skipped what is exported", i.Name)
			}
			clear(s.only.missing)
			s.only.selectFrom(i, of)
			if len(of) != 0 || !s.only.missing["service-1.default"] || len(s.only.missing) != 1 || !s.only.stale {
				t.Errorf("%s, decoded %v: %v, missing %v", i.Name, decoded, of, s.only.missing)
			}
		}
	}
}

func serviceItem(key string) decode.Item {
	return decode.Item{Key: key, Service: &model.Service{Key: key, Type: model.Headless}}
}

func sliceItem(key, service string) decode.Item {
	return decode.Item{Key: key, Slice: &model.Slice{Key: key, Service: service}}
}

// syncedSession is one that nothing runs of.
func syncedSession(t *testing.T) *session {
	s := &session{m: &Member{state: state{data: model.NewData()}}, synced: true, ctx: t.Context()}
	for n, r := range resources.OfMember(new(decode.Decoder)) {
		s.informers = append(s.informers, &informer{Resource: r, number: n, session: s})
	}
	s.only = newOnlyExported(s)
	return s
}

// TestUnwantedWhenListed: what a list has is dropped where it isn't wanted when the list is
// whole.
func TestUnwantedWhenListed(t *testing.T) {
	s := syncedSession(t)
	for n, item := range []decode.Item{
		resources.Services: serviceItem("web.default"), resources.EndpointSlices: sliceItem("default/web-1", "web.default"),
	} {
		of := map[string]decode.Item{item.Key: item}
		if s.only.selectFrom(s.informers[n], of); len(of) != 0 || len(s.only.missing) != 0 {
			t.Errorf("%s: %v, missing %v", s.informers[n].Name, of, s.only.missing)
		}
	}
}

// TestFetchOfNoService: a ServiceExport may have a name that no Service has.
func TestFetchOfNoService(t *testing.T) {
	s := syncedSession(t)
	for _, key := range []string{"a.b.default", strings.Repeat("x", 64) + ".default", "web.../..", "", "web"} {
		if s.only.miss(key); len(s.only.missing) > 0 {
			t.Errorf("%q is to be fetched", key)
		}
	}
}

// TestFetchedWithoutMark: a fetched Service that has lost its mark isn't applied: its event
// is still to come, which drops its slices as well.
func TestFetchedWithoutMark(t *testing.T) {
	s := syncedSession(t)
	c := s.m.data.Change()
	c.SetService(model.Service{Key: "web.default", Type: model.ClusterIP, Marked: true})
	s.m.data = c.Done(time.Now())
	before := s.m.data
	all := []fetched{{of: s.informers[resources.Services], items: []decode.Item{serviceItem("web.default")}}}
	if s.only.apply("web.default", all, nil) || s.m.data != before {
		t.Error("applied")
	}
}

// TestOnlyExportedCount: of 10,000 Services and slices, those are kept of 500 that are
// exported, and nothing else counts.
func TestOnlyExportedCount(t *testing.T) {
	a := startExportsAPI(t)
	for i := range 10_000 {
		service, slice := serviceLike(i), sliceLike(i)
		a.services[service.Name], a.slices[slice.Name] = service, slice
		if i%20 == 0 {
			a.exports[service.Name] = true
		}
	}
	s := a.startMember()
	s.until("synced", func() bool { return s.View().State == Fresh })
	if services, slices := s.View().Data.Count(); services != 500 || slices != 500 {
		t.Errorf("%d services, %d slices", services, slices)
	}
	if got, want := s.costs(), int64(1000); got[resources.Services]+got[resources.EndpointSlices] > 2*want || got[resources.Exports] != 500 {
		t.Errorf("costs %v", got)
	}
	if a.Count(fetchService) != 0 {
		t.Error("fetched what was listed")
	}
}

func (s *subject) nothingMissing() bool {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	o := s.live.only
	return len(o.missing) == 0 && o.fetching == ""
}

// TestFetchFails: a fetch that fails is repeated, is logged once, and ends nothing.
func TestFetchFails(t *testing.T) {
	a := startExportsAPI(t)
	a.service("web", "10.0.0.1", "")
	a.slice("web-1", "web", "10.1.0.1")
	s := a.startMember()
	s.awaitKept("")
	a.change(func() { a.refused[fetchSlices] = http.StatusForbidden })
	a.export("web", true)
	s.await("fetches of exported services", "forbidden")
	s.awaitKept("")
	a.change(func() { delete(a.refused, fetchSlices) })
	s.awaitKept("web[10.0.0.1][10.1.0.1]")
	s.await("fetches of exported services: recovered")
}

// TestOnlyExportedWithoutExports: where ServiceExports aren't served, or forbidden, marks
// alone count, and nothing waits; ServiceExports that come later are heeded.
func TestOnlyExportedWithoutExports(t *testing.T) {
	a := startExportsAPI(t)
	a.service("web", "10.0.0.1", "")
	a.service("marked", "10.0.0.2", ciliumMark)
	a.export("web", true)
	a.refused[apitest.ExportsPath] = http.StatusForbidden
	s := a.startMember()
	s.awaitKept("marked[10.0.0.2][]")
	a.change(func() { delete(a.refused, apitest.ExportsPath) })
	s.awaitKept("marked[10.0.0.2][] web[10.0.0.1][]")

	a = startExportsAPI(t)
	served := a.served
	a.served = nil
	a.service("web", "10.0.0.1", "")
	a.service("marked", "10.0.0.2", ciliumMark)
	a.export("web", true)
	s = a.startMember()
	s.awaitKept("marked[10.0.0.2][]")
	a.change(func() { a.served = served })
	s.awaitKept("marked[10.0.0.2][] web[10.0.0.1][]")
	a.change(func() { a.served = nil; a.refused[apitest.ExportsPath] = http.StatusNotFound })
	s.awaitKept("marked[10.0.0.2][]")
}

// TestExportsHang: ServiceExports whose list hangs hold nothing up for long.
func TestExportsHang(t *testing.T) {
	a := startExportsAPI(t)
	a.service("web", "10.0.0.1", "")
	a.service("marked", "10.0.0.2", ciliumMark)
	a.export("web", true)
	hung := make(chan struct{})
	a.hold(apitest.ExportsPath, func() { <-hung })
	s := a.startMember()
	s.awaitKept("marked[10.0.0.2][]")
	close(hung)
	s.awaitKept("marked[10.0.0.2][] web[10.0.0.1][]")
}

// TestOnlyExportedAfterOutage: a new session keeps what is exported by then.
func TestOnlyExportedAfterOutage(t *testing.T) {
	a := startExportsAPI(t)
	for _, name := range []string{"web", "db"} {
		a.service(name, "10.0.0.1", "")
		a.slice(name+"-1", name, "10.1.0.1")
	}
	a.export("web", true)
	s := a.startMember()
	s.awaitKept("web[10.0.0.1][10.1.0.1]")
	a.change(func() {
		a.refused[apitest.ProbePath] = http.StatusInternalServerError
		for _, path := range []string{apitest.ServicesPath, apitest.SlicesPath, apitest.ExportsPath} {
			a.refused[path] = http.StatusInternalServerError
		}
	})
	a.CloseClientConnections()
	s.until("stale", func() bool { return s.View().State == Stale })
	if got := describeAll(s.View().Data); got != "web[10.0.0.1][10.1.0.1]" {
		t.Errorf("stale: %s", got)
	}
	a.export("web", false)
	a.export("db", true)
	a.change(func() { clear(a.refused) })
	s.awaitKept("db[10.0.0.1][10.1.0.1]")
}
