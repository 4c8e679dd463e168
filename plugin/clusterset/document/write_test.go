package document

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWrite: what is written is read as the same document, and the same ClusterSet.
func TestWrite(t *testing.T) {
	text, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{"good": string(text)}
	for name, text := range goodYAML {
		written[name] = text
	}
	for name, text := range written {
		t.Run(name, func(t *testing.T) {
			first := Parse(map[string]string{"k.yaml": text})
			if err := first.Err(); err != nil {
				t.Fatalf("%v:\n%s", err, text)
			}
			again := write(t, first.Documents["k.yaml"])
			second := Parse(map[string]string{"k.yaml": string(again)})
			if diff := cmp.Diff(first, second, compareAddrs); diff != "" {
				t.Errorf("%s\n%s", diff, again)
			}
		})
	}
}

// TestWriteStrings: a string is read as it was, whatever YAML could make of it.
func TestWriteStrings(t *testing.T) {
	for _, text := range []string{"no", "~", "<<", "10", "1e3", "2026-11-26", "'", "\"", "\\", "a: b", "a #b", "- a", " a", "a ", "\ta", "a\nb", "\n", "a\n", " a\n b", "---", "\x1b[31m", "\x00", "é\u2028\u0085\ufeff"} {
		want := &Document{APIVersion: APIVersion, Kind: Kind, Clusters: []*Cluster{
			{Name: "c1", ServiceCIDRs: []string{"10.1.0.0/16"}, Region: text, TLS: &TLS{CAFile: text}},
		}}
		written := write(t, want)
		parsed := Parse(map[string]string{"k.yaml": string(written)})
		if diff := cmp.Diff(want, parsed.Documents["k.yaml"]); diff != "" || parsed.Err() != nil {
			t.Errorf("%q: %v\n%s\n%s", text, parsed.Err(), diff, written)
		}
	}
}

func write(t *testing.T, d *Document) []byte {
	t.Helper()
	text, err := d.Write()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWriteForm: it is written as people write it: in the order of its fields, short lists
// on a line, and without what isn't given.
func TestWriteForm(t *testing.T) {
	const want = `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- name: c1
  serviceCIDRs: [10.101.0.0/19, 'fd00:101::/112']
  tls: {secret: kube-system/tls}
  region: "no"
- name: c2
  serviceCIDRs: [10.102.0.0/19]
policies:
- services: ['*/*']
  weights: {c1: 90, c2: 10}
`
	d := &Document{
		APIVersion: APIVersion, Kind: Kind,
		Clusters: []*Cluster{
			{Name: "c1", ServiceCIDRs: []string{"10.101.0.0/19", "fd00:101::/112"}, TLS: &TLS{Secret: "kube-system/tls"}, Region: "no"},
			{Name: "c2", ServiceCIDRs: []string{"10.102.0.0/19"}},
		},
		Policies: []*Policy{{Services: []string{"*/*"}, Weights: map[string]int{"c1": 90, "c2": 10}}},
	}
	if diff := cmp.Diff(want, string(write(t, d))); diff != "" {
		t.Error(diff)
	}
}

// TestWriteEdited: a document that was read is written with a member more.
func TestWriteEdited(t *testing.T) {
	doc := Parse(map[string]string{"k.yaml": oneMember}).Documents["k.yaml"]
	doc.Clusters = append(doc.Clusters, &Cluster{Name: "c2", ServiceCIDRs: []string{"10.102.0.0/19"}})
	parsed := Parse(map[string]string{"k.yaml": string(write(t, doc))})
	if parsed.Err() != nil || len(parsed.Set.Clusters) != 2 || parsed.Set.Clusters[1].Name != "c2" {
		t.Errorf("%+v, error %v", parsed.Set, parsed.Err())
	}
}
