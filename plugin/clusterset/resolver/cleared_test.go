package resolver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// memberData are a member's data as a test has them.
type memberData struct{ view *member.View }

func (d *memberData) View() *member.View      { return d.view }
func (d *memberData) Synced() <-chan struct{} { return nil }
func (d *memberData) Status() status.Data     { return status.Data{} }
func (d *memberData) Release()                {}

// TestServicesCleared: what is kept of services goes with the members that it is made of.
func TestServicesCleared(t *testing.T) {
	const key = "web.shop"
	now := time.Unix(100, 0)
	c := model.NewData().Change()
	c.SetNamespace("shop")
	c.SetService(model.Service{Key: key, Type: model.ClusterIP, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.1.0.1")}})
	c.SetSlice(&model.Slice{Key: "shop/web-1", Service: key, Endpoints: []model.Endpoint{{Addr: netip.MustParseAddr("10.1.0.2")}}})
	c.SetExport(key, now)
	one := &model.Cluster{Name: "one"}
	set := members.NewSet(&model.ClusterSet{Clusters: []*model.Cluster{one}}, map[string]*members.Member{
		"one": {Cluster: one, Data: &memberData{&member.View{Data: c.Done(now), State: member.Fresh}}},
	}, "")
	var r Resolver
	r.services.Make(r.serviceOptions(), set, key, now)
	if r.services.Find(set, key, now) == nil {
		t.Fatal("not kept")
	}
	r.SetMembers(nil)
	if r.services.Find(set, key, now) != nil {
		t.Error("kept")
	}
}
