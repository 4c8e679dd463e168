package services

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// fakeData are a member's data as a test has them.
type fakeData struct{ view *member.View }

func (d *fakeData) View() *member.View      { return d.view }
func (d *fakeData) Synced() <-chan struct{} { return nil }
func (d *fakeData) Status() status.Data     { return status.Data{} }
func (d *fakeData) Release()                {}

// TestCurrent: a service is kept through changes that aren't of its own.
func TestCurrent(t *testing.T) {
	const key = "web.shop"
	slice := func(address string) *model.Slice {
		return &model.Slice{Key: "shop/web-1", Service: key, Endpoints: []model.Endpoint{{Addr: netip.MustParseAddr(address)}}}
	}
	for _, test := range []struct {
		name    string
		change  func(c *model.Change)
		state   member.State
		current bool
	}{
		{"nothing", func(*model.Change) {}, member.Fresh, true},
		{"another service", func(c *model.Change) { c.SetService(model.Service{Key: "api.shop", Type: model.ClusterIP}) }, member.Fresh, true},
		{"another export", func(c *model.Change) { c.SetExport("api.shop", time.Unix(9, 0)) }, member.Fresh, true},
		{"the service", func(c *model.Change) { c.SetService(model.Service{Key: key, Type: model.Headless}) }, member.Fresh, false},
		{"an endpoint", func(c *model.Change) { c.SetSlice(slice("10.1.0.2")) }, member.Fresh, false},
		{"its export is gone", func(c *model.Change) { c.DeleteExport(key) }, member.Fresh, false},
		{"its export is younger", func(c *model.Change) { c.SetExport(key, time.Unix(2, 0)) }, member.Fresh, false},
		{"its namespace is gone", func(c *model.Change) { c.DeleteNamespace("shop") }, member.Fresh, false},
		{"the service is marked, and its namespace opts out", func(c *model.Change) { c.OptOutNamespace("shop") }, member.Fresh, false},
		{"it isn't exported, and its namespace opts out", func(c *model.Change) { c.OptOutNamespace("shop") }, member.Fresh, false},
		{"the data are stale", func(*model.Change) {}, member.Stale, false},
	} {
		c := model.NewData().Change()
		c.SetNamespace("shop")
		c.SetService(model.Service{Key: key, Type: model.ClusterIP})
		c.SetSlice(slice("10.1.0.1"))
		if strings.Contains(test.name, "marked") {
			c.SetService(model.Service{Key: key, Type: model.ClusterIP, Marked: true, MarkedByCilium: true})
		} else if !strings.Contains(test.name, "isn't exported") {
			c.SetExport(key, time.Unix(1, 0))
		}
		before := c.Done(time.Unix(1, 0))
		data := &fakeData{&member.View{Data: before, State: member.Fresh}}
		now := time.Unix(100, 0)
		b := Builder{Service: &Service{Key: key, until: now.Add(time.Second)}}
		b.saw(nil, data, data.view)
		if !b.isCurrent(now) {
			t.Errorf("%s: it isn't what it was made of", test.name)
		}
		b.sources[0].alive = false
		if b.isCurrent(now) {
			t.Errorf("%s: current, though its member was dead", test.name)
		}
		b.sources[0].alive = true
		change := before.Change()
		test.change(change)
		data.view = &member.View{Data: change.Done(time.Unix(2, 0)), State: test.state}
		if got := b.isCurrent(now); got != test.current {
			t.Errorf("%s: current %v, want %v", test.name, got, test.current)
		}
	}
}

// TestRenewed: what an epoch doesn't show is looked at once a second.
func TestRenewed(t *testing.T) {
	start := time.Unix(100, 0)
	end := start.Add(serviceLife)
	for _, test := range []struct {
		name     string
		state    member.State
		affinity model.Affinity
		now      time.Time
		current  bool
		until    time.Time
	}{
		{"in its second", member.Fresh, model.AffinityLocal, start, true, end},
		{"after it", member.Fresh, model.AffinityLocal, end, true, end.Add(serviceLife)},
		{"by round-trip time, in its second", member.Fresh, model.AffinityNearest, start, true, end},
		{"by round-trip time, after it", member.Fresh, model.AffinityNearest, end, false, end},
		{"stale, in its second", member.Stale, model.AffinityLocal, start, true, end},
		{"stale, after it", member.Stale, model.AffinityLocal, end, false, end},
	} {
		data := &fakeData{&member.View{Data: model.NewData(), State: test.state}}
		b := Builder{Service: &Service{Key: "web.shop", until: end}}
		b.rules.Affinity = test.affinity
		b.saw(nil, data, data.view)
		if got := b.isCurrent(test.now); got != test.current {
			t.Errorf("%s: current %v, want %v", test.name, got, test.current)
		}
		if s := b.renewed(7, test.now); test.current && (s.epoch != 7 || !s.until.Equal(test.until)) {
			t.Errorf("%s: epoch %d until %v, want 7 until %v", test.name, s.epoch, s.until, test.until)
		}
	}
}

// TestCurrentHoldsNothing: a service that is kept doesn't keep the data that it was made of.
func TestCurrentHoldsNothing(t *testing.T) {
	data := &fakeData{&member.View{Data: model.NewData(), State: member.Fresh}}
	b := Builder{Service: &Service{Key: "web.shop"}}
	b.saw(nil, data, data.view)
	freed := make(chan struct{})
	runtime.AddCleanup(data.view, func(freed chan struct{}) { close(freed) }, freed)
	data.view = &member.View{Data: model.NewData(), State: member.Fresh}
	for range 10 {
		runtime.GC()
	}
	select {
	case <-freed:
	case <-time.After(time.Minute):
		t.Error("the old View is held")
	}
	runtime.KeepAlive(b.Service)
}
