package member

import (
	"slices"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func serviceItem(key string, marked bool) item {
	return item{key: key, service: &model.Service{Key: key, Type: model.Headless, Marked: marked, Ports: noPorts}}
}

func sliceItem(key, service string) item {
	return item{key: key, slice: &model.Slice{Key: key, Service: service, Ports: noPorts}}
}

func list(items ...item) map[string]item {
	all := make(map[string]item)
	for _, i := range items {
		all[i.key] = i
	}
	return all
}

func TestReplace(t *testing.T) {
	now := time.Now()
	kinds := newKinds(&texts{})
	d := kinds[services].replace(model.NewData(), list(serviceItem("a.x", false), serviceItem("b.x", false)), now)
	d = kinds[endpointSlices].replace(d, list(sliceItem("x/a1", "a.x"), sliceItem("x/b1", "b.x"), item{key: "x/orphan"}), now)
	if got := slices.Sorted(d.Slices()); !slices.Equal(got, []string{"x/a1", "x/b1"}) {
		t.Fatalf("slices: %v", got)
	}
	same := kinds[endpointSlices].replace(d, list(sliceItem("x/a1", "a.x"), sliceItem("x/b1", "b.x"), item{key: "x/orphan"}), now)
	if same != d {
		t.Error("the same list made new data")
	}
	next := kinds[services].replace(d, list(serviceItem("a.x", false), serviceItem("c.x", true)), now.Add(time.Second))
	if next.Service("a.x") != d.Service("a.x") {
		t.Error("what didn't change was made anew")
	}
	if next.Service("b.x").Type != model.NoService || next.Service("c.x") == nil || !next.Service("c.x").Marked {
		t.Error("what is in the list and in the data differs")
	}
	if d.Service("b.x").Type != model.Headless || d.Service("c.x") != nil {
		t.Error("the old data changed")
	}
	if a := next.Slice("x/a1"); a.Service != "a.x" {
		t.Errorf("slice of %s", a.Service)
	}
	// A slice that no longer names a Service is gone.
	gone := kinds[endpointSlices].change(next, item{key: "x/a1"}, false, now)
	if gone.Slice("x/a1") != nil || len(gone.Service("a.x").Slices) != 0 {
		t.Error("a slice without a Service is still there")
	}
}

func TestReplaceExports(t *testing.T) {
	now := time.Now()
	k := newKinds(&texts{})[exports]
	d := k.replace(model.NewData(), list(item{key: "a.x", made: now}), now)
	if same := k.replace(d, list(item{key: "a.x", made: now}), now); same != d {
		t.Error("the same list made new data")
	}
	if since, ok := k.replace(d, list(item{key: "a.x", made: now.Add(time.Hour)}), now).Exported("a.x"); !ok || !since.Equal(now.Add(time.Hour)) {
		t.Error("an export that was made anew keeps its time")
	}
	if _, ok := k.replace(d, nil, now).Exported("a.x"); ok {
		t.Error("an export is still there")
	}
}

func TestDerivedNamespaces(t *testing.T) {
	now := time.Now()
	kinds := newKinds(&texts{})
	d := kinds[services].replace(model.NewData(), list(serviceItem("a.x", false), serviceItem("b.x", false), serviceItem("c.y", false)), now)
	d, count := deriveNamespaces(d, kinds[namespaces], now)
	steps := []struct {
		key  string
		by   int
		want []string
	}{
		{"a.x", -1, []string{"x", "y"}},
		{"b.x", -1, []string{"y"}},
		{"d.z", 1, []string{"y", "z"}},
		{"e.z", 1, []string{"y", "z"}},
		{"d.z", -1, []string{"y", "z"}},
	}
	for _, s := range steps {
		d = count.follow(d, s.key, s.by, now)
		if got := slices.Sorted(d.Namespaces()); !slices.Equal(got, s.want) {
			t.Errorf("%s %+d: %v, want %v", s.key, s.by, got, s.want)
		}
	}
}
