package services

import "testing"

// TestClear: nothing is kept of services once their members may have left.
func TestClear(t *testing.T) {
	var kept Kept
	kept.of("web.shop").keep(&Service{Key: "web.shop"})
	kept.Clear()
	if kept.of("web.shop").find("web.shop") != nil {
		t.Error("kept")
	}
}
