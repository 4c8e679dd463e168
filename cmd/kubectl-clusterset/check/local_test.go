package check

import (
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
)

// TestWhyNotLocal: a `local` that is there is never said to be missing.
func TestWhyNotLocal(t *testing.T) {
	for _, c := range []struct{ corefile, name, want string }{
		{"cluster9", "cluster9", "the Corefile has `local cluster9`, which isn't a member"},
		{"", "cluster9", "by the About API it is cluster9, which isn't a member"},
		{"", "", "the Corefile has no `local`, and the About API doesn't say"},
	} {
		if have := whyNotLocal(c.corefile, c.name); have != c.want {
			t.Errorf("%q, %q: have %q, want %q", c.corefile, c.name, have, c.want)
		}
	}
}

// TestApply: what is advised for a CoreDNS that may be a provider's isn't just to replace it.
func TestApply(t *testing.T) {
	for namespace, form := range map[string]string{"kube-system": "a provider's: apply -k deploy/kustomize/stand-alone", "clusterset": "kubectl apply -k deploy/kustomize/stand-alone"} {
		l := &look{in: &install.Install{Namespace: namespace}}
		if have := l.apply(); !strings.Contains(have, form) {
			t.Errorf("%s: have %q, want %q in it", namespace, have, form)
		}
	}
}
