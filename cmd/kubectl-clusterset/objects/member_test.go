package objects

import (
	"os"
	"testing"
)

// TestMemberYAML: join makes in a member what deploy/kustomize/member has.
func TestMemberYAML(t *testing.T) {
	deployed, err := os.ReadFile("../../../deploy/kustomize/member/rbac.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(deployed) != memberYAML {
		t.Error("deploy/kustomize/member/rbac.yaml and member.yaml differ")
	}
	if all := MemberObjects(); len(all) != 5 || all[0].GetKind() != "ServiceAccount" {
		t.Errorf("have %d objects, the first a %s", len(all), all[0].GetKind())
	}
}

// TestHolds: what an API adds is no difference; what is missing, or another list, is.
func TestHolds(t *testing.T) {
	live := map[string]any{"a": "1", "list": []any{map[string]any{"b": "2", "default": true}}, "added": "x"}
	for _, c := range []struct {
		want  map[string]any
		holds bool
	}{
		{map[string]any{"a": "1"}, true},
		{map[string]any{"list": []any{map[string]any{"b": "2"}}}, true},
		{map[string]any{"none": map[string]any{}}, true},
		{map[string]any{"a": "2"}, false},
		{map[string]any{"new": "1"}, false},
		{map[string]any{"list": []any{}}, false},
		{map[string]any{"list": []any{map[string]any{"b": "3"}}}, false},
		{map[string]any{"a": map[string]any{"b": "1"}}, false},
	} {
		if holds(live, c.want) != c.holds {
			t.Errorf("%v: have %v", c.want, !c.holds)
		}
	}
}
