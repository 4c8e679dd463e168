package model

import (
	"net/netip"
	"testing"
)

// TestSame: each field counts but a Service's slices.
func TestSame(t *testing.T) {
	service := func(change func(*Service)) *Service {
		s := &Service{Key: "a.b", ClusterIPs: []netip.Addr{vip}, Outside: &Outside{Hostnames: []string{"x"}}}
		change(s)
		return s
	}
	same := service(func(s *Service) { s.Slices = []*Slice{{}} })
	for name, change := range map[string]func(*Service){
		"key": func(s *Service) { s.Key = "" }, "type": func(s *Service) { s.Type = Headless }, "marked": func(s *Service) { s.Marked = true },
		"by Cilium": func(s *Service) { s.MarkedByCilium = true }, "cluster IPs": func(s *Service) { s.ClusterIPs = nil },
		"name": func(s *Service) { s.ExternalName = "x" }, "ports": func(s *Service) { s.Ports = []Port{{}} },
		"marks": func(s *Service) { s.Marks = CiliumGlobal }, "affinity": func(s *Service) { s.CiliumAffinity = AffinityLocal },
		"distribution": func(s *Service) { s.Distribution = PreferSameZone }, "local": func(s *Service) { s.InternalLocal = true },
		"sessions": func(s *Service) { s.SessionAffinity = 1 }, "nothing outside": func(s *Service) { s.Outside = nil },
		"hostnames":      func(s *Service) { s.Outside = &Outside{} },
		"load balancers": func(s *Service) { s.Outside = &Outside{Hostnames: []string{"x"}, LoadBalancers: []netip.Addr{vip}} },
		"external IPs":   func(s *Service) { s.Outside = &Outside{Hostnames: []string{"x"}, ExternalIPs: []netip.Addr{vip}} },
	} {
		if s := service(change); s.Same(same) || !s.Same(service(change)) {
			t.Errorf("%s: equal %v", name, s.Same(same))
		}
	}
	if s := service(func(*Service) {}); !s.Same(same) {
		t.Error("slices count")
	}
	one := slice("b/a", "a.b", podA)
	for name, other := range map[string]*Slice{
		"service": slice("b/a", "a.c", podA), "address": slice("b/a", "a.b", podB), "another": slice("b/a", "a.b", podA, podB),
		"ports":     {Key: "b/a", Service: "a.b", Ports: []Port{{}}, Endpoints: one.Endpoints},
		"hostname":  {Key: "b/a", Service: "a.b", Endpoints: []Endpoint{{Addr: podA, Hostname: "x"}}},
		"zone":      {Key: "b/a", Service: "a.b", Endpoints: []Endpoint{{Addr: podA, Detail: &EndpointDetail{Zone: "z"}}}},
		"hints":     {Key: "b/a", Service: "a.b", Endpoints: []Endpoint{{Addr: podA, Detail: &EndpointDetail{ForZones: []string{"z"}}}}},
		"serving":   {Key: "b/a", Service: "a.b", Endpoints: []Endpoint{{Addr: podA, Detail: &EndpointDetail{NotServing: true}}}},
		"leaving":   {Key: "b/a", Service: "a.b", Endpoints: []Endpoint{{Addr: podA, Detail: &EndpointDetail{Terminating: true}}}},
		"not ready": {Key: "b/a", Service: "a.b", Endpoints: one.Endpoints, NotReady: &[]Endpoint{{Addr: podB}}},
	} {
		if one.Same(other) || other.Same(one) {
			t.Errorf("%s doesn't count", name)
		}
	}
	if same := (&Slice{Key: "b/a", Service: "a.b", Endpoints: []Endpoint{{Addr: podA, Detail: &EndpointDetail{}}}, NotReady: &[]Endpoint{}}); !one.Same(same) {
		t.Error("zero details count")
	}
}

// TestNotReady: what isn't ready owns no address.
func TestNotReady(t *testing.T) {
	s := slice("default/web", "web.default", podA)
	s.NotReady = &[]Endpoint{{Addr: podB}}
	d := changed(NewData(), func(c *Change) { c.SetSlice(s) })
	if len(d.Owners(podA)) != 1 || len(d.Owners(podB)) != 0 {
		t.Errorf("%v, %v", d.Owners(podA), d.Owners(podB))
	}
	if d = changed(d, func(c *Change) { c.DeleteSlice(s.Key) }); len(d.Owners(podA)) != 0 {
		t.Errorf("%v", d.Owners(podA))
	}
}
