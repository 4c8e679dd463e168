package resolver

import "testing"

// TestServicesCleared: what is kept of services goes with the members that it is made of.
func TestServicesCleared(t *testing.T) {
	var r Resolver
	r.services.place("web.shop").Store(&service{})
	r.SetMembers(nil)
	if r.services.place("web.shop").Load() != nil {
		t.Error("kept")
	}
}
