package document

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

const oneMember = head + "clusters:\n- name: c1\n  serviceCIDRs: [10.101.0.0/19]\n"

// TestYAML: each is the same document, written in another way.
func TestYAML(t *testing.T) {
	for name, text := range goodYAML {
		set, err := parse(map[string]string{"k.yaml": text})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if onlyMember(set) != "c1" || set.Clusters[0].ServiceCIDRs[0] != netip.MustParsePrefix("10.101.0.0/19") {
			t.Errorf("%s: %+v", name, set.Clusters[0])
		}
	}
}

var goodYAML = map[string]string{
	"plain":                      oneMember,
	"---":                        "---\n" + oneMember,
	"--- with a comment":         "--- # the clusters\n" + oneMember,
	"--- and the document":       `--- {apiVersion: clusterset/v1alpha1, kind: ClusterSet, clusters: [{name: c1, serviceCIDRs: [10.101.0.0/19]}]}`,
	"a comment before ---":       "# the clusters\n---\n" + oneMember,
	"comments, blank lines":      "\n\n# the clusters\n\n  # of ours\n\n---\n\n" + oneMember,
	"%YAML 1.1":                  "%YAML 1.1\n---\n" + oneMember,
	"%YAML 1.2":                  "%YAML 1.2\n---\n" + oneMember,
	"%YAML 1.3":                  "%YAML\t1.3 # to come\n---\n" + oneMember,
	"a comment before %YAML 1.2": "# the clusters\n\n%YAML 1.2\n---\n" + oneMember,
	"a comment after it":         "%YAML 1.2\n# the clusters\n---\n" + oneMember,
	"%TAG":                       "%TAG !e! tag:example.com,2026:\n---\n" + oneMember,
	"%TAG and %YAML":             "%TAG !e! tag:example.com,2026:\r\n%YAML 1.2\r\n---\r\n" + oneMember,
	"BOM":                        "\ufeff" + oneMember,
	"BOM and %YAML 1.2":          "\ufeff%YAML 1.2\n---\n" + oneMember,
	"CRLF":                       strings.ReplaceAll("# all\n---\n"+oneMember, "\n", "\r\n"),
	"CR":                         strings.ReplaceAll("# all\n---\n"+oneMember, "\n", "\r"),
	"...":                        oneMember + "...\n",
	"... and a comment":          oneMember + "...\n# the end\n",
	"--- and ...":                "---\n" + oneMember + "...\n",
	"--- at its end":             oneMember + "---\n",
	"--- twice":                  "---\n---\n" + oneMember + "---\n# nothing\n---\n",
	"no last line break":         strings.TrimSuffix(oneMember, "\n"),
	"JSON":                       `{"apiVersion": "clusterset/v1alpha1", "kind": "ClusterSet", "clusters": [{"name": "c1", "serviceCIDRs": ["10.101.0.0/19"]}]}`,
	"JSON without blanks":        `{"apiVersion":"clusterset/v1alpha1","kind":"ClusterSet","clusters":[{"name":"c1","serviceCIDRs":["10.101.0.0/19"]}]}`,
	"--- in a block scalar":      oneMember + "  region: |\n    a\n    ---\n    b\n",
	"--- in a plain scalar":      oneMember + "  region: a\n    ---\n    b\n",
	"--- in a quoted scalar":     oneMember + "  region: \"a\n    --- b\"\n",
	"alias":                      head + "clusters:\n- name: c1\n  serviceCIDRs: &all [&own 10.101.0.0/19]\n  podCIDRs: *all\n",
	"alias as a key":             head + "clusters:\n- &n name: c1\n  serviceCIDRs: [10.101.0.0/19]\n  region: *n\n",
	"NO of Norway":               oneMember + "  region: no\n",
	"a date":                     oneMember + "  region: 2026-11-26\n",
	"a tag that says what it is": strings.Replace(oneMember, "c1", "!!str c1", 1),
}

// merged returns a document with members d, e, and one that has these fields.
func merged(fields string) string {
	return head + "clusters:\n" +
		"- &d {name: d, serviceCIDRs: [10.1.0.0/16], region: kr, zone: kr-a}\n" +
		"- &e {<<: *d, name: e, region: jp, network: far}\n" +
		"- name: c1\n  " + fields + "\n"
}

// TestMergeKeys: a mapping's own keys count before those that it merges, and of those
// the first (yaml.org/type/merge.html).
func TestMergeKeys(t *testing.T) {
	for _, tt := range []struct{ name, fields, region, zone, network string }{
		{"an alias", "<<: *d", "kr", "kr-a", "default"},
		{"one that merges", "<<: *e", "jp", "kr-a", "far"},
		{"its own key after", "<<: *d\n  region: us", "us", "kr-a", "default"},
		{"its own key before", "region: us\n  <<: *d", "us", "kr-a", "default"},
		{"its own key, empty", "<<: *d\n  region: ''", "", "kr-a", "default"},
		{"a list", "<<: [*d, *e]", "kr", "kr-a", "far"},
		{"a list, the other way round", "<<: [*e, *d]", "jp", "kr-a", "far"},
		{"a list of lines", "<<:\n  - *d\n  - *e", "kr", "kr-a", "far"},
		{"a list, with one in place", "<<: [{zone: us-b}, *d]", "kr", "us-b", "default"},
		{"one in place, that merges", "<<: {<<: *d, zone: us-b}", "kr", "us-b", "default"},
		{"a list of one that merges a list", "<<: [{<<: [*d, *e]}]", "kr", "kr-a", "far"},
		{"again and again", "<<: [*d, *d, *e, *d]", "kr", "kr-a", "far"},
		{"nothing", "<<: {}\n  serviceCIDRs: [10.1.0.0/16]", "", "", "default"},
		{"no merge, a string", "serviceCIDRs: [10.1.0.0/16]\n  region: <<", "<<", "", "default"},
	} {
		set, err := parse(map[string]string{"k.yaml": merged(tt.fields)})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		c := set.Clusters[2]
		if c.Name != "c1" || fmt.Sprint(c.ServiceCIDRs) != "[10.1.0.0/16]" || c.Region != tt.region || c.Zone != tt.zone || c.Network != tt.network {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

func TestYAMLBad(t *testing.T) {
	const more = `k.yaml: more than one document; put what follows "---" under a key of its own`
	for _, tt := range []struct{ name, text, want string }{
		{"two", oneMember + "---\n" + oneMember, more},
		{"two, the second on the line of ---", oneMember + "--- {apiVersion: clusterset/v1alpha1}\n", more},
		{"two, a comment between", oneMember + "--- # two\n# two\n" + oneMember, more},
		{"two, ... and --- between", oneMember + "...\n---\n" + oneMember, more},
		{"two, ... between", oneMember + "...\n" + oneMember, "k.yaml: not YAML: line 6: did not find expected <document start>"},
		{"two, an empty one between", oneMember + "---\n---\n" + oneMember, more},
		{"two, CRLF", oneMember + "---\r\n" + oneMember, more},
		{"the second is a scalar", oneMember + "---\nx\n", more},
		{"the second is an empty string", oneMember + "--- ''\n", more},
		{"the second is no YAML", oneMember + "---\n[\n", "k.yaml: not YAML: line 7: did not find expected node content"},
		{"nothing but a directive", "%YAML 1.2\n", "k.yaml: not YAML: line 1: did not find expected <document start>"},
		{"%YAML 2.0", "%YAML 2.0\n---\n" + oneMember, "k.yaml: not YAML: found incompatible YAML document"},
		{"UTF-16", "\xff\xfea\x00", "k.yaml: not YAML: UTF-16; write it in UTF-8"},
		{"a key twice, deep", oneMember + "  tls: {caFile: a, caFile: b}\n", `k.yaml: not YAML: line 6: key "caFile" already set in map`},
		{"<< twice", merged("<<: *d\n  <<: *d"), "k.yaml: not YAML: line 8: key \"<<\" already set in map"},
		{"a merge of a list of lists", merged("tls: {<<: [[*d]]}"), "k.yaml: not YAML: line 7: <<: not a mapping, nor a list of mappings"},
		{"a merge of a string", merged("tls: {<<: x}"), "k.yaml: not YAML: line 7: <<: not a mapping, nor a list of mappings"},
		{"a merge of an unknown field", merged("<<: *d\n  tls: {<<: {color: red}}"), `k.yaml: unknown field "clusters[2].tls.color"`},
		{"an alias of itself", head + "clusters: &c [*c]\n", "k.yaml: not YAML: line 3: *c: stands within what it names"},
		{"a merge of itself", head + "clusters: [&c {<<: *c}]\n", "k.yaml: not YAML: line 3: *c: stands within what it names"},
		{"a merge of what it is in", head + "clusters: [&c {tls: {<<: [*c]}}]\n", "k.yaml: not YAML: line 3: *c: stands within what it names"},
		{"an alias of nothing", head + "clusters: *c\n", "k.yaml: not YAML: unknown anchor 'c' referenced"},
		{"a tag", head + "clusters: !x []\n", "k.yaml: not YAML: line 3: tag !x: not !!seq"},
		{"a tag of a scalar", head + "clusters: !x y\n", "k.yaml: not YAML: line 3: tag !x: not one of YAML's own"},
		{"no number", head + "clusters: .nan\n", `k.yaml: not YAML: line 3: ".nan": not !!float`},
		{"a key that is null", oneMember + "? \n", "k.yaml: not YAML: line 6: a key that is no string"},
		{"a key that is a list", oneMember + "? [a]\n: b\n", "k.yaml: not YAML: line 6: a key that is no string"},
		{"a line of its own", withPolicy("{services: [\"*/*\"], weights: {\"c9\\n[FATAL] \\e[31mx\": 1}}"),
			`k.yaml: policies[0].weights.c9\n[FATAL] \x1b[31mx: "c9\n[FATAL] \x1b[31mx": not a member`},
	} {
		_, err := parse(map[string]string{"k.yaml": tt.text})
		if fmt.Sprint(err) != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

const mib = 1 << 20

// aliases is a document with a list of so many aliases for the value x.
func aliases(value string, n int) string {
	return head + "clusters: [&a " + value + strings.Repeat(", *a", n) + "]\n"
}

// laughs is a document of levels of ten aliases each, in the form of one of them.
func laughs(levels int, first, form string) string {
	text := head + "clusters:\n- &a " + first + "\n"
	for c := 'b'; c < 'b'+rune(levels); c++ {
		ten := strings.TrimSuffix(strings.Repeat("*"+string(c-1)+", ", 10), ", ")
		text += "- &" + string(c) + " " + fmt.Sprintf(form, ten) + "\n"
	}
	return text
}

func numbered(n int, form string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, form, i)
	}
	return b.String()
}

// TestYAMLBounds: what is small and becomes large, or is large and full of values, is
// refused before it takes memory, with an error that says where.
func TestYAMLBounds(t *testing.T) {
	clustertest.WithoutRace(t)
	const items = "more than 350000 lines, keys and list items, in all documents together"
	for _, tt := range []struct{ name, text, want string }{
		{"a billion laughs", laughs(9, "[x]", "[%s]"), "line 10: *f: aliases make the document larger than 4194304 bytes"},
		{"of keys", laughs(9, "{x: y}", "{k: [%s]}"), "line 9: *e: aliases make"},
		{"of merges, for nothing", laughs(9, "{x: y}", "{<<: [%s]}"), "line 9: *e: aliases make"},
		{"of merges of one", head + "clusters:\n- &a {" + numbered(1000, "k%d: x, ") + "}\n- {<<: [*a" + strings.Repeat(", *a", 10000) + "]}\n", "line 5: *a: aliases make"},
		{"one long string, 6,000 times", aliases(strings.Repeat("x", 500_000), 6000), "line 3: *a: aliases make"},
		{"one long key", head + "clusters: [{&a " + strings.Repeat("x", 1000) + ": 1}" + strings.Repeat(", {*a : 1}", 6000) + "]\n", "line 3: *a: aliases make"},
		{"aliases of little", aliases("[[], []]", 180_000), "line 3: *a: aliases make"},
		{"aliases of nothing", aliases("[]", 180_000), "clusters[0]: a list: not a mapping"},
		{"lists in lists", head + "clusters: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "\n", "line 3: nested more than 100 deep"},
		{"lists in lists without end", strings.Repeat("[", 20_000), "exceeded max depth of 10000"},
		{"mappings in mappings", head + "clusters: " + strings.Repeat("{a: ", 500) + strings.Repeat("}", 500) + "\n", "line 3: nested more than 100 deep"},
		{"lists in lists, by lines", head + "clusters: " + strings.Repeat("- ", 500) + "\n", "not YAML: line 3: block sequence entries are not allowed in this context"},
		{"lists in lists, on one line", strings.Repeat("- ", mib), "line 1: " + items},
		{"list items", head + "clusters: [" + strings.Repeat("x,", mib) + "]\n", "line 3: " + items},
		{"mappings of nothing", head + "clusters: {" + strings.Repeat("x,", mib) + "}\n", "line 3: " + items},
		{"lines", head + strings.Repeat("x:\n", mib), "line 175001: " + items},
		{"lines of Mac OS 9", head + strings.Repeat("x:\r", mib), "line 175001: " + items},
		{"lines of IBM", head + strings.Repeat("x:\u0085", mib/2), "line 175001: " + items},
		{"paragraphs", head + strings.Repeat("x:\u2029", mib/2), "line 175001: " + items},
		{"keys of nothing", head + strings.Repeat("? ", mib), "line 3: " + items},
		{"comments", head + strings.Repeat("#\n", 2*mib-100), "line 350000: " + items},
		{"keys", head + numbered(200_000, "k%d: x\n"), "line 175001: " + items},
		{"members", head + "clusters:\n" + numbered(5001, "- {name: c%d, serviceCIDRs: [10.1.0.0/16]}\n"), "clusters: a ClusterSet has 5000 members at most, in all documents together"},
		{"CIDRs of a member", member("podCIDRs: [" + strings.Repeat("x,", 1001) + "]"), "clusters[0].podCIDRs: 1001 given; 1000 at most"},
		{"upstreams of a member", member("dns: [" + strings.Repeat("10.0.0.1,", 1001) + "]"), "clusters[0].dns: 1001 given; 1000 at most"},
		{"gateways of a member", member("gateways: [" + strings.Repeat("192.0.2.1,", 1001) + "]"), "clusters[0].gateways: 1001 given; 1000 at most"},
		{"namespaces of a member", member("namespaces: [" + strings.Repeat("x,", 1001) + "]"), "clusters[0].namespaces: 1001 given; 1000 at most"},
		{"reach of a member", member("reach: [" + strings.Repeat("x,", 1001) + "]"), "clusters[0].reach: 1001 given; 1000 at most"},
		{"members that a policy allows", withPolicy("{services: ['*/*'], allow: [" + strings.Repeat("c1,", 1001) + "]}"), "policies[0].allow: 1001 given; 1000 at most"},
		{"upstreams by aliases", head + "clusters:\n- {name: d, serviceCIDRs: [10.1.0.0/16], dns: &d [" + numbered(999, "'10.0.0.1:1%03d',") + "]}\n" +
			numbered(10, "- {name: c%d, serviceCIDRs: [10.1.0.0/16], dns: *d}\n"), "clusters[10].dns: the members of a ClusterSet have 10000 upstreams at most"},
		{"services of a policy", withPolicy("{services: [" + strings.Repeat("'*/*',", 1001) + "]}"), "policies[0].services: 1001 given; 1000 at most"},
		{"failover by aliases", withPolicy("{services: ['*/*'], failover: &f ["+strings.Repeat("c,", 2000)+"]}") + strings.Repeat("- {services: ['*/*'], failover: *f}\n", 100),
			"policies[0].failover: 2000 given; 1000 at most"},
		{"weights by aliases", withPolicy("{services: ['*/*'], weights: &w {"+numbered(2000, "c%d: 1,")+"}}") + strings.Repeat("- {services: ['*/*'], weights: *w}\n", 45),
			"policies[0].weights: 2000 given; 1000 at most"},
		{"a long network", member("network: " + strings.Repeat("x", 254)), `clusters[0].network: "xxx`},
		{"a long region", member("region: " + strings.Repeat("x", 254)), `clusters[0].region: "xxx`},
		{"a long zone", member("zone: " + strings.Repeat("x", 254)), `clusters[0].zone: "xxx`},
		{"directives", numbered(200_000, "%%TAG !%d! x\n") + "---\n" + oneMember, "line 101: more than 100 directives"},
		{"unknown fields", head + "clusters:\n" + strings.Repeat("- {"+numbered(20, "k%d: x, ")+"}\n", 4000), `unknown field "clusters[0].k0"`},
		{"a long value", named(strings.Repeat("x", 3*mib)), `clusters[0].name: "xxx`},
		{"a long key", member("? " + strings.Repeat("x", 3*mib) + "\n  : y"), `unknown field "clusters[0].xxx`},
		{"a long anchor", head + "clusters: *" + strings.Repeat("x", 3*mib), "not YAML: unknown anchor 'xxx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			took, err := parseCounted(map[string]string{"k.yaml": tt.text})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.300v, want %s", err, tt.want)
			}
			if err != nil && len(err.Error()) > (maxErrors+1)*(maxText+1) {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if bound := uint64(160 * mib); took > bound {
				t.Errorf("takes %d MiB", took/mib)
			}
		})
	}
}

// parseCounted returns how much memory parsing took, garbage included.
func parseCounted(documents map[string]string) (took uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = parse(documents)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

// TestYAMLSums: the documents of a ConfigMap have bounds together, too.
func TestYAMLSums(t *testing.T) {
	clustertest.WithoutRace(t)
	keys := func(n int, text string) map[string]string {
		documents := make(map[string]string)
		for i := range n {
			documents[fmt.Sprintf("k%03d.yaml", i)] = text
		}
		return documents
	}
	for _, tt := range []struct {
		name string
		keys map[string]string
		want string
	}{
		{"bytes", keys(3, "#"+strings.Repeat(" ", 3*mib)), "k002.yaml: all documents together have more than 8388608 bytes"},
		{"aliases", keys(500, aliases(strings.Repeat("x", 1000), 3000)), "k002.yaml: not YAML: line 3: *a: aliases make all documents together larger than 8388608 bytes"},
		{"items", keys(10, head+"clusters: ["+strings.Repeat("x,", 40_000)+"]\n"), "line 3: more than 350000 lines"},
		{"members", keys(2, head+"clusters:\n"+numbered(3000, "- {name: c%d, serviceCIDRs: [10.1.0.0/16]}\n")), "k001.yaml: clusters: a ClusterSet has 5000 members at most"},
	} {
		took, err := parseCounted(tt.keys)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.3000v", tt.name, err)
		}
		if took > 320*mib {
			t.Errorf("%s: takes %d MiB", tt.name, took/mib)
		}
	}
}

// TestYAMLLarge: what people have is far from the bounds.
func TestYAMLLarge(t *testing.T) {
	clustertest.WithoutRace(t)
	member := "- name: c%d\n  serviceCIDRs: [10.101.0.0/19, \"fd00:101::/112\"]\n  podCIDRs: [10.51.0.0/16]\n  dns: [10.101.0.10, \"tls://10.101.0.11:853\"]\n" +
		"  clusterDomain: cluster.local\n  tls: {serverName: dns.example, secret: kube-system/dns-tls}\n  kubeconfig: {secret: kube-system/kubeconfig, key: value}\n" +
		"  network: default\n  gateways: [203.0.113.10]\n  loadBalancerCIDRs: [203.0.113.0/24]\n  probe: tcp://203.0.113.10:443\n  region: kr\n  zone: kr-a\n"
	text := head + "# " + strings.Repeat("a, b: - [c] ", 150_000) + "\nclusters:\n" + numbered(4000, member)
	set, err := parse(map[string]string{"k.yaml": text})
	if err != nil || len(set.Clusters) != 4000 {
		t.Fatal(len(text), err)
	}
}
