package document

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// parse returns what Parse has for who needs nothing but the ClusterSet.
func parse(documents map[string]string) (*model.ClusterSet, error) {
	parsed := Parse(documents)
	return parsed.Set, parsed.Err()
}

var compareAddrs = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{})

func upstreamOf(t *testing.T, scheme model.Scheme, addr string) model.Upstream {
	t.Helper()
	return model.Upstream{Scheme: scheme, Addr: netip.MustParseAddrPort(addr)}
}

// TestParseGood asserts the value of every field there is.
func TestParseGood(t *testing.T) {
	text, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set, err := parse(map[string]string{"good.yaml": string(text)})
	if err != nil {
		t.Fatal(err)
	}
	want := &model.ClusterSet{
		Clusters: []*model.Cluster{{
			Name:              "cluster1",
			ServiceCIDRs:      []netip.Prefix{netip.MustParsePrefix("10.101.0.0/19"), netip.MustParsePrefix("fd00:101::/112")},
			PodCIDRs:          []netip.Prefix{netip.MustParsePrefix("10.51.0.0/16")},
			DNS:               []model.Upstream{upstreamOf(t, model.DNS, "10.101.0.10:53"), upstreamOf(t, model.DNS, "[fd00:101::a]:53")},
			ClusterDomain:     "cluster1.lan.",
			EndpointPodNames:  true,
			TLS:               model.TLS{ServerName: "dns.cluster1.example", Secret: model.ObjectName{Namespace: "kube-system", Name: "cluster1-dns-tls"}},
			Kubeconfig:        model.Kubeconfig{Secret: model.ObjectName{Namespace: "kube-system", Name: "cluster1-kubeconfig"}, Key: "value"},
			Network:           "default",
			Reach:             []model.Reach{model.ReachPods, model.ReachServices, model.ReachGateways, model.ReachLoadBalancers},
			Gateways:          []netip.Addr{netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8::10")},
			LoadBalancerCIDRs: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/64")},
			Probe:             "tcp://203.0.113.10:443",
			Namespaces:        []string{"payments", "shop-*", "*"},
			Region:            "kr",
			Zone:              "kr-a",
		}, {
			Name:         "cluster2.eu",
			ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.102.0.0/19")},
			DNS: []model.Upstream{
				upstreamOf(t, model.DNS, "10.102.0.10:53"), upstreamOf(t, model.DNS, "10.102.0.11:5353"),
				upstreamOf(t, model.DNS, "[fd00::a]:54"), upstreamOf(t, model.DNS, "[fd00::b]:53"),
				upstreamOf(t, model.DNS, "10.102.0.12:53"), upstreamOf(t, model.TCP, "10.102.0.13:53"),
				upstreamOf(t, model.DoT, "10.102.0.14:853"), upstreamOf(t, model.DoT, "10.102.0.14:8853"),
				upstreamOf(t, model.HTTPS, "10.102.0.15:443"), upstreamOf(t, model.QUIC, "[fd00::c]:8853"),
			},
			ClusterDomain: "cluster.local.",
			TLS:           model.TLS{CAFile: "/ca.pem", CertFile: "/cert.pem", KeyFile: "/key.pem"},
			Kubeconfig:    model.Kubeconfig{File: "/kubeconfig", Context: "admin"},
			Network:       "far",
		}},
		Policies: []model.Policy{{
			Services: []string{"payments/checkout", "payments/*", "shop-*/web", "*/api-*", "*/*"},
			Allow:    []string{"cluster2.eu", "cluster1"},
			Affinity: model.AffinityLocal,
			Weights:  map[string]int{"cluster1": 90, "cluster2.eu": 10},
			Failover: []string{"cluster2.eu", "cluster1"},
		}},
	}
	if diff := cmp.Diff(want, set, compareAddrs); diff != "" {
		t.Error(diff)
	}
}

// TestParseKeys: the members of all documents are the ClusterSet, in the order
// of the keys.
func TestParseKeys(t *testing.T) {
	set, err := parse(map[string]string{"b.yaml": documentOf("b", 2), "a.yaml": documentOf("a", 1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Clusters) != 2 || set.Clusters[0].Name != "a" || set.Clusters[1].Name != "b" {
		t.Errorf("got %v", set.Clusters)
	}
	_, err = parse(map[string]string{"b.yaml": documentOf("a", 2), "a.yaml": documentOf("a", 1)})
	if want := `b.yaml: clusters[0].name: "a": duplicate member; first at a.yaml: clusters[0].name`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func documentOf(name string, subnet byte) string {
	return "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n- name: " + name +
		"\n  serviceCIDRs: [" + netip.AddrFrom4([4]byte{10, subnet, 0, 0}).String() + "/16]\n"
}

const head = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\n"

// member returns a document with one member that has these fields, and a good name and CIDR
// where they have none.
func member(fields ...string) string {
	lines := []string{"clusters:", "- name: c1"}
	if len(fields) == 0 || !strings.HasPrefix(fields[0], "serviceCIDRs") {
		lines = append(lines, "  serviceCIDRs: [10.101.0.0/19]")
	}
	for _, field := range fields {
		lines = append(lines, "  "+field)
	}
	return head + strings.Join(lines, "\n") + "\n"
}

func named(name string) string {
	return head + "clusters:\n- name: " + name + "\n  serviceCIDRs: [10.101.0.0/19]\n"
}

func withPolicy(fields string) string { return member() + "policies:\n- " + fields + "\n" }

// notServices are the errors of patterns of services that aren't any.
func notServices(patterns ...string) []string {
	var all []string
	for i, pattern := range patterns {
		all = append(all, fmt.Sprintf(`k.yaml: policies[0].services[%d]: %q: not NAMESPACE/NAME; either may be "*", or end in it`, i, pattern))
	}
	return all
}

// badDocuments are documents, with every line of their errors.
var badDocuments = []struct {
	name, text string
	want       []string
}{
	{"nothing", "", []string{"k.yaml: empty; a document starts with apiVersion: clusterset/v1alpha1"}},
	{"comments only", "# to do\n", []string{"k.yaml: not a mapping; a document starts with apiVersion: clusterset/v1alpha1"}},
	{"a list", "- a\n", []string{"k.yaml: not a mapping; a document starts with apiVersion: clusterset/v1alpha1"}},
	{"no YAML", head + "clusters: [\n", []string{"k.yaml: not YAML: line 3: did not find expected node content"}},
	{"nonsense", strings.Repeat("\x00\xff", 1<<19), []string{"k.yaml: not YAML: control characters are not allowed"}},
	{"too long", strings.Repeat(" ", 4<<20+1), []string{"k.yaml: 4194305 bytes: a document has 4194304 at most"}},
	{"two documents", member() + "---\n" + member(), []string{`k.yaml: more than one document; put what follows "---" under a key of its own`}},
	{"a key twice", member() + "kind: ClusterSet\n", []string{`k.yaml: not YAML: line 6: key "kind" already set in map`}},
	{"no version", "kind: ClusterSet\n" + strings.TrimPrefix(member(), head), []string{`k.yaml: apiVersion: "": not clusterset/v1alpha1`}},
	{"another version", strings.Replace(member(), "v1alpha1", "v9", 1), []string{`k.yaml: apiVersion: "clusterset/v9": not clusterset/v1alpha1`}},
	{"another kind", strings.Replace(member(), "kind: ClusterSet", "kind: Cluster", 1), []string{`k.yaml: kind: "Cluster": not ClusterSet`}},
	{"no members", head + "clusters: []\n", []string{"k.yaml: clusters: none; a ClusterSet has at least one"}},
	{"unknown field", member() + "color: red\n", []string{`k.yaml: unknown field "color"`}},
	{"unknown field of a member", member("color: red"), []string{`k.yaml: unknown field "clusters[0].color"`}},
	{"unknown field, deeper", member("tls: {server: x}"), []string{`k.yaml: unknown field "clusters[0].tls.server"`}},
	{"a wrong case of a field", member("Zone: a"), []string{`k.yaml: unknown field "clusters[0].Zone"`}},
	{"a type error hides no other member", head + "clusters:\n- {name: 5}\n- {name: c1, serviceCIDRs: [x]}\npolicies: [{services: [a/b], failover: [c5]}]\n", []string{"k.yaml: clusters[0].name: a number: not a string", `k.yaml: clusters[1].serviceCIDRs[0]: "x": not a CIDR`}},
	{"clusters is a mapping", head + "clusters: {a: 1}\n", []string{"k.yaml: clusters: a mapping: not a list"}},
	{"a member is a string", head + "clusters: [c1]\n", []string{"k.yaml: clusters[0]: a string: not a mapping"}},
	{"a number for a string", member("region: 5"), []string{"k.yaml: clusters[0].region: a number: not a string"}},
	{"a string for a list", member("podCIDRs: 10.0.0.0/8"), []string{"k.yaml: clusters[0].podCIDRs: a string: not a list"}},
	{"no name", named(`""`), []string{"k.yaml: clusters[0].name: missing"}},
	{"upper case", named("C1"), []string{`k.yaml: clusters[0].name: "C1": not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)`}},
	{"three labels", named("a.b.c"), []string{`k.yaml: clusters[0].name: "a.b.c": not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)`}},
	{"a dash at the end", named("c1-"), []string{`k.yaml: clusters[0].name: "c1-": not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)`}},
	{"64 bytes", named(strings.Repeat("a", 64)), []string{`k.yaml: clusters[0].name: "` + strings.Repeat("a", 64) + `": not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)`}},
	{"svc", named("svc"), []string{`k.yaml: clusters[0].name: "svc": reserved; svc, pod, dns-version are words of the names themselves`}},
	{"pod", named("pod"), []string{`k.yaml: clusters[0].name: "pod": reserved; svc, pod, dns-version are words of the names themselves`}},
	{"svc in two labels", named("svc.eu"), []string{`k.yaml: clusters[0].name: "svc.eu": reserved; svc, pod, dns-version are words of the names themselves`}},
	{"dns", named("dns"), []string{`k.yaml: clusters[0].name: "dns": reserved; ns.dns is the name server of the zone itself`}},
	{"dns first of two labels", named("dns.eu"), []string{`k.yaml: clusters[0].name: "dns.eu": reserved; ns.dns is the name server of the zone itself`}},
	{"dns last of two labels", named("ns.dns"), []string{`k.yaml: clusters[0].name: "ns.dns": reserved; ns.dns is the name server of the zone itself`}},
	{"twice", head + "clusters:\n- {name: c1, serviceCIDRs: [10.1.0.0/16]}\n- {name: c1, serviceCIDRs: [10.2.0.0/16]}\n", []string{`k.yaml: clusters[1].name: "c1": duplicate member; first at k.yaml: clusters[0].name`}},
	{"no service CIDR", member("serviceCIDRs: []"), []string{"k.yaml: clusters[0].serviceCIDRs: missing; a member has one or more, as 10.101.0.0/19"}},
	{"33 bits", member("serviceCIDRs: [10.101.0.0/33]"), []string{`k.yaml: clusters[0].serviceCIDRs[0]: "10.101.0.0/33": not a CIDR`}},
	{"no bits", member("podCIDRs: [10.101.0.0]"), []string{`k.yaml: clusters[0].podCIDRs[0]: "10.101.0.0": not a CIDR`}},
	{"host bits", member("podCIDRs: [10.51.0.1/16]"), []string{`k.yaml: clusters[0].podCIDRs[0]: "10.51.0.1/16": not a CIDR's first address; did you mean 10.51.0.0/16?`}},
	{"load balancers at a name", member("loadBalancerCIDRs: [lb.example]"), []string{`k.yaml: clusters[0].loadBalancerCIDRs[0]: "lb.example": not a CIDR`}},
	{"names of pods that are a string", member("endpointPodNames: yes please"), []string{`k.yaml: clusters[0].endpointPodNames: a string: not true or false`}},
	{"a CIDR twice", member("podCIDRs: [10.51.0.0/16, 10.51.0.0/16]"), []string{`k.yaml: clusters[0].podCIDRs[1]: "10.51.0.0/16": given twice`}},
	{"too small for a tenth address", member("serviceCIDRs: [10.101.0.0/29]"), []string{`k.yaml: clusters[0].serviceCIDRs[0]: "10.101.0.0/29": has no 10th address; give dns`}},
	{"a host name for dns", member("dns: [dns.example]"), []string{`k.yaml: clusters[0].dns[0]: "dns.example": ` + errUpstream.Error()}},
	{"an unknown scheme", member("dns: [\"grpc://10.0.0.1\"]"), []string{`k.yaml: clusters[0].dns[0]: "grpc://10.0.0.1": ` + errUpstream.Error()}},
	{"a port too high", member("dns: [\"10.0.0.1:65536\"]"), []string{`k.yaml: clusters[0].dns[0]: "10.0.0.1:65536": ` + errUpstream.Error()}},
	{"port 0", member("dns: [\"10.0.0.1:0\"]"), []string{`k.yaml: clusters[0].dns[0]: "10.0.0.1:0": ` + errUpstream.Error()}},
	{"a path", member("dns: [\"https://10.0.0.1/dns-query\"]"), []string{`k.yaml: clusters[0].dns[0]: "https://10.0.0.1/dns-query": ` + errUpstream.Error()}},
	{"unspecified", member("dns: [0.0.0.0]"), []string{`k.yaml: clusters[0].dns[0]: "0.0.0.0": not an address of a server`}},
	{"dns twice", member("dns: [10.0.0.1, \"dns://10.0.0.1:53\"]"), []string{`k.yaml: clusters[0].dns[1]: "dns://10.0.0.1:53": given twice`}},
	{"domain", member("clusterDomain: cluster_local"), []string{`k.yaml: clusters[0].clusterDomain: "cluster_local": not a domain name`}},
	{"root domain", member("clusterDomain: ."), []string{`k.yaml: clusters[0].clusterDomain: ".": not a domain name`}},
	{"secret and files", member("tls: {secret: a/b, caFile: /ca}"), []string{"k.yaml: clusters[0].tls: secret and files given; one of them"}},
	{"a certificate without its key", member("tls: {certFile: /c}"), []string{"k.yaml: clusters[0].tls: certFile and keyFile go together"}},
	{"a secret without a namespace", member("tls: {secret: b}"), []string{`k.yaml: clusters[0].tls.secret: "b": not NAMESPACE/NAME`}},
	{"an empty kubeconfig", member("kubeconfig: {}"), []string{"k.yaml: clusters[0].kubeconfig: neither secret nor file"}},
	{"two kubeconfigs", member("kubeconfig: {secret: a/b, file: /f}"), []string{"k.yaml: clusters[0].kubeconfig: secret and file given; one of them"}},
	{"a key of a file", member("kubeconfig: {file: /f, key: k}"), []string{`k.yaml: clusters[0].kubeconfig.key: "k": goes with secret, not with file`}},
	{"a gateway that is a name", member("gateways: [gw.example]"), []string{`k.yaml: clusters[0].gateways[0]: "gw.example": not an address that a client can connect to`}},
	{"a gateway of everywhere", member("gateways: [\"::\"]"), []string{`k.yaml: clusters[0].gateways[0]: "::": not an address that a client can connect to`}},
	{"a probe of another scheme", member("probe: udp://10.0.0.1:53"), []string{`k.yaml: clusters[0].probe: "udp://10.0.0.1:53": not tcp://, http:// or https://`}},
	{"a probe without a port", member("probe: tcp://10.0.0.1"), []string{`k.yaml: clusters[0].probe: "tcp://10.0.0.1": no port; write tcp://HOST:PORT`}},
	{"a probe without a host", member("probe: /healthz"), []string{`k.yaml: clusters[0].probe: "/healthz": not a URL; write tcp://HOST:PORT, http:// or https://`}},
	{"a policy for no service", withPolicy("affinity: none"), []string{`k.yaml: policies[0].services: missing; as [payments/checkout, "payments/*"]`}},
	{"a policy for a name", withPolicy("services: [checkout]"), []string{`k.yaml: policies[0].services[0]: "checkout": not NAMESPACE/NAME; either may be "*", or end in it`}},
	{"patterns that aren't", withPolicy(`{services: ["*a/b", "a*b/c", "a/b**", "a/?", "a/[b]", "A*/b", "a/-*", "a/*/b", "/*"]}`), notServices("*a/b", "a*b/c", "a/b**", "a/?", "a/[b]", "A*/b", "a/-*", "a/*/b", "/*")},
	{"nobody allowed", withPolicy("{services: [\"*/*\"], allow: []}"), []string{"k.yaml: policies[0].allow: empty; leave it out for all members"}},
	{"allowed to nobody", withPolicy("{services: [\"*/*\"], allow: [c1, c9]}"), []string{`k.yaml: policies[0].allow[1]: "c9": not a member`}},
	{"no reach", member("reach: []"), []string{"k.yaml: clusters[0].reach: empty; leave it out for the default, or give some of services, pods, loadBalancers, gateways"}},
	{"a reach that isn't", member("reach: [pods, Gateways]"), []string{`k.yaml: clusters[0].reach[1]: "Gateways": not one of services, pods, loadBalancers, gateways`}},
	{"a reach twice", member("reach: [pods, services, pods]"), []string{`k.yaml: clusters[0].reach[2]: "pods": given twice`}},
	{"a reach that is a string", member("reach: pods"), []string{"k.yaml: clusters[0].reach: a string: not a list"}},
	{"no namespaces", member("namespaces: []"), []string{"k.yaml: clusters[0].namespaces: empty; leave it out for all namespaces"}},
	{"namespaces that aren't", member(`namespaces: [shop, Shop, "shop?", "*-shop", "a.b", "[a]", ""]`), []string{
		`k.yaml: clusters[0].namespaces[1]: "Shop": not the name of a namespace; it may be "*", or end in it`,
		`k.yaml: clusters[0].namespaces[2]: "shop?": not the name of a namespace; it may be "*", or end in it`,
		`k.yaml: clusters[0].namespaces[3]: "*-shop": not the name of a namespace; it may be "*", or end in it`,
		`k.yaml: clusters[0].namespaces[4]: "a.b": not the name of a namespace; it may be "*", or end in it`,
		`k.yaml: clusters[0].namespaces[5]: "[a]": not the name of a namespace; it may be "*", or end in it`,
		`k.yaml: clusters[0].namespaces[6]: "": not the name of a namespace; it may be "*", or end in it`,
	}},
	{"an affinity", withPolicy("{services: [\"*/*\"], affinity: close}"), []string{`k.yaml: policies[0].affinity: "close": not one of none, local, nearest, remote`}},
	{"a weight below 0", withPolicy("{services: [\"*/*\"], weights: {c1: -1}}"), []string{"k.yaml: policies[0].weights.c1: -1: below 0"}},
	{"a weight that is a fraction", withPolicy("{services: [\"*/*\"], weights: {c1: 0.5}}"), []string{"k.yaml: policies[0].weights: a number: not a whole number"}},
	{"a weight of nobody", withPolicy("{services: [\"*/*\"], weights: {c9: 1}}"), []string{`k.yaml: policies[0].weights.c9: "c9": not a member`}},
	{"failover to nobody", withPolicy("{services: [\"*/*\"], failover: [c1, c9]}"), []string{`k.yaml: policies[0].failover[1]: "c9": not a member`}},
	{"everything at once", head + "clusters:\n- {name: C, serviceCIDRs: [x], dns: [z]}\n- {name: c, color: red}\n", []string{
		`k.yaml: unknown field "clusters[1].color"`,
		`k.yaml: clusters[0].name: "C": not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)`,
		`k.yaml: clusters[0].serviceCIDRs[0]: "x": not a CIDR`,
		`k.yaml: clusters[0].dns[0]: "z": ` + errUpstream.Error(),
		"k.yaml: clusters[1].serviceCIDRs: missing; a member has one or more, as 10.101.0.0/19",
	}},
}

func TestParseBad(t *testing.T) {
	for _, tt := range badDocuments {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(map[string]string{"k.yaml": tt.text})
			if err == nil {
				t.Fatal("accepted")
			}
			if want := strings.Join(tt.want, "\n"); err.Error() != want {
				t.Errorf("got:\n%s\nwant:\n%s", err, want)
			}
		})
	}
}

func onlyMember(set *model.ClusterSet) string {
	if set == nil || len(set.Clusters) != 1 {
		return ""
	}
	return set.Clusters[0].Name
}

// TestWholeNumbers: a number may be written in any of YAML's ways, and is whole.
func TestWholeNumbers(t *testing.T) {
	for text, want := range map[string]int{
		"10": 10, "0x10": 16, "1e1": 10, "10.0": 10, "-0.0": 0, "null": 0, "9223372036854775807": 1<<63 - 1, "9.2e18": 9_200_000_000_000_000_000,
		"0.5": -1, "1e19": -1, "18446744073709551615": -1, "'10'": -1, "true": -1,
	} {
		parsed := Parse(map[string]string{"k.yaml": withPolicy(`{services: ["*/*"], weights: {c1: ` + text + `}}`)})
		switch {
		case want < 0 && (parsed.Set != nil || !strings.HasSuffix(parsed.Err().Error(), ": not a whole number")):
			t.Errorf("%s: %v", text, parsed.Err())
		case want >= 0 && (parsed.Set == nil || parsed.Set.Policies[0].Weights["c1"] != want):
			t.Errorf("%s: %+v, error %v", text, parsed.Set, parsed.Err())
		}
	}
}

// TestParseTypes: a value of a wrong type hides nothing else.
func TestParseTypes(t *testing.T) {
	_, err := parse(map[string]string{"k.yaml": head + "color: red\nclusters:\n- {name: 5, color: red, tls: {caFile: 5, color: red}}\n- {name: c1, serviceCIDRs: [x]}\npolicies: 5\n"})
	want := strings.Join([]string{
		`k.yaml: unknown field "color"`,
		"k.yaml: clusters[0].name: a number: not a string",
		`k.yaml: unknown field "clusters[0].color"`,
		`k.yaml: unknown field "clusters[0].tls.color"`,
		"k.yaml: policies: a number: not a list",
		`k.yaml: clusters[1].serviceCIDRs[0]: "x": not a CIDR`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

// TestNull: what is null is left out.
func TestNull(t *testing.T) {
	set, err := parse(map[string]string{"k.yaml": member("reach:", "namespaces: ~")})
	if err != nil || set.Clusters[0].Reach != nil || set.Clusters[0].Namespaces != nil {
		t.Errorf("%+v, error %v", set, err)
	}
}
