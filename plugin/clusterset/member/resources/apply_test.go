package resources

import (
	"slices"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

var noPorts = []model.Port{{Number: model.NoPort}}

func serviceItem(key string, marked bool) decode.Item {
	return decode.Item{Key: key, Service: &model.Service{Key: key, Type: model.Headless, Marked: marked, Ports: noPorts}}
}

func sliceItem(key, service string) decode.Item {
	return decode.Item{Key: key, Slice: &model.Slice{Key: key, Service: service, Ports: noPorts}}
}

func list(items ...decode.Item) map[string]decode.Item {
	all := make(map[string]decode.Item)
	for _, i := range items {
		all[i.Key] = i
	}
	return all
}

func TestReplace(t *testing.T) {
	now := time.Now()
	resources := OfMember(&decode.Decoder{})
	d := resources[Services].Replace(model.NewData(), list(serviceItem("a.x", false), serviceItem("b.x", false)), now)
	d = resources[EndpointSlices].Replace(d, list(sliceItem("x/a1", "a.x"), sliceItem("x/b1", "b.x"), decode.Item{Key: "x/orphan"}), now)
	if got := slices.Sorted(d.Slices()); !slices.Equal(got, []string{"x/a1", "x/b1"}) {
		t.Fatalf("slices: %v", got)
	}
	same := resources[EndpointSlices].Replace(d, list(sliceItem("x/a1", "a.x"), sliceItem("x/b1", "b.x"), decode.Item{Key: "x/orphan"}), now)
	if same != d {
		t.Error("the same list made new data")
	}
	next := resources[Services].Replace(d, list(serviceItem("a.x", false), serviceItem("c.x", true)), now.Add(time.Second))
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
	gone := resources[EndpointSlices].Change(next, decode.Item{Key: "x/a1"}, false, now)
	if gone.Slice("x/a1") != nil || len(gone.Service("a.x").Slices) != 0 {
		t.Error("a slice without a Service is still there")
	}
}

func TestReplaceExports(t *testing.T) {
	now := time.Now()
	k := OfMember(&decode.Decoder{})[Exports]
	d := k.Replace(model.NewData(), list(decode.Item{Key: "a.x", Created: now}), now)
	if same := k.Replace(d, list(decode.Item{Key: "a.x", Created: now}), now); same != d {
		t.Error("the same list made new data")
	}
	if since, ok := k.Replace(d, list(decode.Item{Key: "a.x", Created: now.Add(time.Hour)}), now).Exported("a.x"); !ok || !since.Equal(now.Add(time.Hour)) {
		t.Error("an export that was created anew keeps its time")
	}
	if _, ok := k.Replace(d, nil, now).Exported("a.x"); ok {
		t.Error("an export is still there")
	}
}

func TestDerivedNamespaces(t *testing.T) {
	now := time.Now()
	resources := OfMember(&decode.Decoder{})
	d := resources[Services].Replace(model.NewData(), list(serviceItem("a.x", false), serviceItem("b.x", false), serviceItem("c.y", false)), now)
	d, count := DeriveNamespaces(d, now)
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
		d = count.Update(d, s.key, s.by, now)
		if got := slices.Sorted(d.Namespaces()); !slices.Equal(got, s.want) {
			t.Errorf("%s %+d: %v, want %v", s.key, s.by, got, s.want)
		}
	}
}
