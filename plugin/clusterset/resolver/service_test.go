package resolver

import "testing"

// TestServicesCleared: what is kept of services goes with the members that it is made of.
func TestServicesCleared(t *testing.T) {
	var r Resolver
	r.services.of("web.shop").keep(&service{key: "web.shop"})
	r.SetMembers(nil)
	if r.services.of("web.shop").find("web.shop") != nil {
		t.Error("kept")
	}
}
