package discovery

import (
	"net/netip"
	"os"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// maxAllocated is what reading a document may take, in bytes, whatever is in it: far
// above what any takes that is good, far below what aliases make of a bad one.
const maxAllocated = 1 << 28

// FuzzParse takes a document as whoever may write the ConfigMap does: it is refused in
// few and plain words, or taken with members that can be used, read the same way each
// time, and written and read the same. Both take a bounded amount of memory.
func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	for _, bad := range badDocuments {
		if len(bad.text) < 4096 {
			f.Add(bad.text)
		}
	}
	for _, good := range goodYAML {
		f.Add(good)
	}
	f.Fuzz(func(t *testing.T, text string) {
		documents := map[string]string{"k.yaml": text}
		before := allocated()
		set, err := Parse(documents)
		if took := allocated() - before; took > maxAllocated {
			t.Fatalf("%d bytes for %d", took, len(text))
		}
		if err != nil {
			checkWords(t, err)
			return
		}
		for _, c := range set.Clusters {
			checkMember(t, c)
		}
		again, err := Parse(documents)
		if diff := cmp.Diff(set, again, compareAddrs); err != nil || diff != "" {
			t.Fatalf("read again: %v\n%s", err, diff)
		}
		written := writeDocument(t, set)
		back, err := Parse(map[string]string{"k.yaml": written})
		if diff := cmp.Diff(set, back, compareAddrs); err != nil || diff != "" {
			t.Fatalf("written and read: %v\n%s\n%s", err, diff, written)
		}
	})
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// checkWords: an error is lines of a log, and not the document's words as they are.
func checkWords(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if lines := strings.Count(text, "\n") + 1; lines > maxErrors+1 || len(text) > lines*(maxError+1) {
		t.Fatalf("%d lines, %d bytes", lines, len(text))
	}
	if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("%q", text)
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "k.yaml") && !strings.Contains(line, "more") {
			t.Fatalf("a line that isn't of the document: %q of %q", line, text)
		}
	}
}

// checkMember: what is taken can be used, and takes nothing of its servers.
func checkMember(t *testing.T, c *model.Cluster) {
	t.Helper()
	first, _, _ := strings.Cut(c.Name, ".")
	switch {
	case c.Name == "" || len(c.ServiceCIDRs) == 0 || len(c.DNS) == 0 || c.ClusterDomain == "" || c.Network == "":
		t.Fatalf("taken: %+v", c)
	case c.Name == "dns" || c.Name != strings.ToLower(c.Name) || strings.Count(c.Name, ".") > 1 || first == "":
		t.Fatalf("taken: the name %q", c.Name)
	}
	for _, prefix := range slices.Concat(c.ServiceCIDRs, c.PodCIDRs, c.LoadBalancerCIDRs) {
		for _, addr := range []string{"127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "::1", "fe80::1", "ff02::1", "::"} {
			if prefix.Contains(netip.MustParseAddr(addr)) {
				t.Fatalf("taken: %s, which has %s", prefix, addr)
			}
		}
	}
}

// writeDocument is a document of the set.
func writeDocument(t *testing.T, set *model.ClusterSet) string {
	t.Helper()
	d := document{APIVersion: apiVersion, Kind: kind}
	for _, c := range set.Clusters {
		d.Clusters = append(d.Clusters, &cluster{
			Name: c.Name, ServiceCIDRs: texts(c.ServiceCIDRs), PodCIDRs: texts(c.PodCIDRs), DNS: texts(c.DNS), ClusterDomain: c.ClusterDomain,
			EndpointPodNames: c.EndpointPodNames, Network: c.Network, Gateways: texts(c.Gateways), LoadBalancerCIDRs: texts(c.LoadBalancerCIDRs),
			Probe: c.Probe, Region: c.Region, Zone: c.Zone, TLS: writeTLS(c.TLS), Kubeconfig: writeKubeconfig(c.Kubeconfig),
		})
	}
	for _, p := range set.Policies {
		d.Policies = append(d.Policies, &policy{Services: p.Services, Affinity: p.Affinity, Weights: p.Weights, Failover: p.Failover})
	}
	text, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeTLS(t model.TLS) *tlsFields {
	if t == (model.TLS{}) {
		return nil
	}
	return &tlsFields{ServerName: t.ServerName, Secret: t.Secret.String(), CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile}
}

func writeKubeconfig(k model.Kubeconfig) *kubeconfig {
	if k == (model.Kubeconfig{}) {
		return nil
	}
	return &kubeconfig{Secret: k.Secret.String(), Key: k.Key, File: k.File, Context: k.Context}
}

func texts[S interface{ String() string }](list []S) []string {
	var all []string
	for _, s := range list {
		all = append(all, s.String())
	}
	return all
}
