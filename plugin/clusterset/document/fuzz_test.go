package document

import (
	"net/netip"
	"os"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// maxAllocated is what reading a document may take, in bytes, whatever is in it: far
// above what any takes that is good, far below what aliases make of a bad one.
const maxAllocated = 1 << 28

// FuzzParse parses a document of whoever may write the ConfigMap: it is refused in few and
// plain words, or accepted with members that can be used, read the same way each time, and
// written and read the same. Both take a bounded amount of memory.
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
		parsed := Parse(documents)
		if took := allocated() - before; took > maxAllocated {
			t.Fatalf("%d bytes for %d", took, len(text))
		}
		if err := parsed.Err(); err != nil {
			checkWords(t, err)
			return
		}
		for _, c := range parsed.Set.Clusters {
			checkMember(t, c)
		}
		again := Parse(documents)
		if diff := cmp.Diff(parsed, again, compareAddrs); diff != "" {
			t.Fatalf("read again:\n%s", diff)
		}
		written, err := parsed.Documents["k.yaml"].Write()
		if err != nil {
			t.Fatal(err)
		}
		back := Parse(map[string]string{"k.yaml": string(written)})
		if diff := cmp.Diff(parsed, back, compareAddrs); diff != "" {
			t.Fatalf("written and read: %v\n%s\n%s", back.Err(), diff, written)
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
	if lines := strings.Count(text, "\n") + 1; lines > maxErrors+1 || len(text) > lines*(maxText+1) {
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

// checkMember: what is accepted can be used, and has no addresses of the hosts themselves.
func checkMember(t *testing.T, c *model.Cluster) {
	t.Helper()
	first, _, _ := strings.Cut(c.Name, ".")
	switch {
	case c.Name == "" || len(c.ServiceCIDRs) == 0 || len(c.DNS) == 0 || c.ClusterDomain == "" || c.Network == "":
		t.Fatalf("accepted: %+v", c)
	case c.Name == "dns" || c.Name != strings.ToLower(c.Name) || strings.Count(c.Name, ".") > 1 || first == "":
		t.Fatalf("accepted: the name %q", c.Name)
	}
	if c.Reach != nil && len(c.Reach) == 0 || c.Namespaces != nil && len(c.Namespaces) == 0 {
		t.Fatalf("accepted: an empty list of %+v", c)
	}
	for _, prefix := range slices.Concat(c.ServiceCIDRs, c.PodCIDRs, c.LoadBalancerCIDRs) {
		for _, addr := range []string{"127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "::1", "fe80::1", "ff02::1", "::"} {
			if prefix.Contains(netip.MustParseAddr(addr)) {
				t.Fatalf("accepted: %s, which has %s", prefix, addr)
			}
		}
	}
}
