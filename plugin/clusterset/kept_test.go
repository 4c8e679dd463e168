package clusterset

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// countedView counts how often it is looked at.
type countedView struct {
	*view
	looks int
}

func (v *countedView) View() *member.View {
	v.looks++
	return v.view.View()
}

// TestOversetKept: what is known of 2,000 names is kept, but for a few.
func TestOversetKept(t *testing.T) {
	const names = 2000
	port := []model.Port{{Name: "http", Protocol: "TCP", Number: 80}}
	c := model.NewData().Change()
	c.SetNamespace("shop")
	for i := range names {
		key := fmt.Sprintf("web-%d.shop", i)
		c.SetService(model.Service{Key: key, Type: model.ClusterIP, Ports: port, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.1.0.1")}})
		c.SetExport(key, time.Unix(1, 0))
		c.SetSlice(&model.Slice{Key: "shop/" + key, Service: key, Ports: port, Endpoints: []model.Endpoint{{Addr: netip.MustParseAddr("10.1.0.2")}}})
	}
	data := &countedView{view: &view{member.View{Data: c.Done(time.Unix(42, 0)), State: member.Fresh}}}
	p := newOverset(t, oversetOptions(), "", nil, part{cluster("east", "10.1.0.0/16"), nothing(), nil})
	p.resolver.Members().Member("east").Data = data
	round := func() (looks int) {
		looked := data.looks
		for i := range names {
			if m := askedFrom(t, p, "192.0.2.1", fmt.Sprintf("web-%d.shop.svc.clusterset.local.", i), dns.TypeA); len(m.Answer) != 1 {
				t.Fatalf("%v", m)
			}
		}
		return data.looks - looked
	}
	clustertest.Tries(t, func() error { // within a second, after which they are made anew
		round()
		if looks := round(); looks > names/20 {
			return fmt.Errorf("%d services were looked up again", looks)
		}
		return nil
	})
}
