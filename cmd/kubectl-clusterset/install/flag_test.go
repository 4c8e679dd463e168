package install

import "testing"

// TestDeployment: --deployment is [NAMESPACE/]NAME, and nothing else.
func TestDeployment(t *testing.T) {
	for value, want := range map[string]Where{
		"coredns":   {"kube-system", "coredns"},
		"dns/a.b-c": {"dns", "a.b-c"},
		"a/b/c":     {}, "": {}, "/b": {}, "a/": {}, "a.b/c": {}, "A/b": {}, "a b": {},
	} {
		var w Where
		if err := w.Set(value); (err == nil) != (want != Where{}) || w != want {
			t.Errorf("%q: have %v, %v, want %v", value, w, err, want)
		}
	}
}
