package member

import "testing"

// TestEpoch: who keeps what was computed from Views knows when another View was published.
func TestEpoch(t *testing.T) {
	a := startImportsAPI(t, exportsAndImports("v1beta1"))
	s := a.startImports()
	s.awaitImports("")
	before := Epoch()
	a.setImport("web", headless)
	s.awaitImports("web.default Headless")
	if after := Epoch(); after == before {
		t.Error("other data, and the same epoch")
	}
	before = Epoch()
	s.Member.mu.Lock()
	s.publish() // the same again
	s.Member.mu.Unlock()
	if after := Epoch(); after != before {
		t.Errorf("the same data, and epoch %d after %d", after, before)
	}
	s.Stop()
	stopped := Epoch()
	if stopped == before {
		t.Error("another state, and the same epoch")
	}
	s.Member.mu.Lock()
	s.publish()
	s.Member.mu.Unlock()
	if after := Epoch(); after != stopped {
		t.Error("unsynced as before, and another epoch")
	}
}
