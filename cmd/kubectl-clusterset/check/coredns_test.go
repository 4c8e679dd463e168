package check

import (
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestVersions: replicas that differ in their version are named, one that doesn't tell isn't.
func TestVersions(t *testing.T) {
	l := &look{in: &install.Install{Namespace: "kube-system", Deployment: "coredns"}}
	for _, c := range []struct {
		versions []string // "" doesn't tell
		want     string
	}{
		{nil, ""},
		{[]string{"1.0", "1.0", ""}, ""},
		{[]string{"1.1", "1.0", "1.1"}, "1.0 on b; 1.1 on a, c"},
	} {
		l.asked = nil
		for i, version := range c.versions {
			answer := replicas.Answer[status.Process]{Replica: &replicas.Replica{Name: string(rune('a' + i))}}
			if version != "" {
				answer.Value = &status.Process{Version: version}
			}
			l.asked = append(l.asked, answer)
		}
		found := l.versions(t.Context())
		switch {
		case len(found) == 0 && c.want == "":
		case len(found) != 1 || found[0].reason != c.want || found[0].outcome != warning:
			t.Errorf("%v: have %+v, want %q", c.versions, found, c.want)
		}
	}
}

// TestStubZone: stand-alone, the cluster's DNS has a block for each zone, or pods get NXDOMAIN.
func TestStubZone(t *testing.T) {
	const standAlone = "lan clusterset.local in-addr.arpa {\n clusterset lan clusterset.local in-addr.arpa {\n configmap clusterset/clusterset\n }\n}\n"
	for _, c := range []struct{ namespace, front, want string }{
		{"clusterset", ".:53 {\n forward . /etc/resolv.conf\n}\n", "has no block for lan, clusterset.local"},
		{"clusterset", ".:53 {\n}\nlan:53 {\n forward . 10.96.0.53\n}\n", "has no block for clusterset.local"},
		{"clusterset", ".:53 {\n}\nlan:53 clusterset.local:53 {\n forward . 10.96.0.53\n}\n", ""},
		{"kube-system", ".:53 {\n}\n", ""},
	} {
		l := &look{in: installOf(t, c.namespace, "clusterset", standAlone)}
		l.all = []*install.Install{l.in, installOf(t, "kube-system", "coredns", c.front)}
		l.block = &l.in.Blocks[0]
		l.stanza = l.block.Stanza
		found := l.stubZone(t.Context())
		switch {
		case len(found) == 0 && c.want == "":
		case len(found) != 1 || !strings.HasSuffix(found[0].reason, c.want) || c.want == "":
			t.Errorf("%s: have %+v, want %q", c.front, found, c.want)
		}
	}
}

func installOf(t *testing.T, namespace, name, corefile string) *install.Install {
	t.Helper()
	blocks, _, err := install.ParseCorefile(corefile)
	if err != nil {
		t.Fatal(err)
	}
	return &install.Install{Namespace: namespace, Deployment: name, Blocks: blocks}
}
