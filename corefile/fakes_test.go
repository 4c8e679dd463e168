package corefile

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// refusedAPI is a kubeconfig whose API refuses connections: port 1, tcpmux, is
// nobody's.
func refusedAPI(t *testing.T) string {
	t.Helper()
	return write(t, "kubeconfig", `apiVersion: v1
kind: Config
current-context: refused
contexts: [{name: refused, context: {cluster: refused, user: nobody}}]
clusters: [{name: refused, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {}}]
`)
}

// resolver is a DNS server for everything else: www.example. and a load balancer have an
// address, and so has every address a name.
func resolver(t *testing.T) string {
	t.Helper()
	return serve(t, `www.example. 60 IN A 192.0.2.1
store.elb.eu-west-1.amazonaws.com. 60 IN A 198.51.100.60
1.100.51.198.in-addr.arpa. 60 IN PTR elsewhere.example.
`)
}

// serve runs a DNS server with these records over UDP and TCP, and returns its
// address. It answers other names with NXDOMAIN.
func serve(t *testing.T, records string) string {
	t.Helper()
	const soa = ". 60 IN SOA ns.example. hostmaster.example. 1 7200 1800 86400 60\n"
	at := netip.MustParseAddrPort(loopback() + ":0")
	return clustertest.ServeAt(t, at, clustertest.Zone(t, soa+records)).Addr.String()
}

// document is the ClusterSet document in the file, with the members' DNS at
// upstream, ADDRESS:PORT, and with c's certificates: a test talks to loopback
// only.
func document(t *testing.T, file, upstream string, c certificates) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.UnmarshalStrict(text, &doc); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, item := range doc["clusters"].([]any) {
		member := item.(map[string]any)
		member["dns"] = []any{schemeOf(member["dns"]) + upstream}
		settings, _ := member["tls"].(map[string]any)
		for option, path := range map[string]string{"caFile": c.ca, "certFile": c.clientCert, "keyFile": c.clientKey} {
			if settings[option] != nil {
				settings[option] = path
			}
		}
	}
	if text, err = yaml.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	return write(t, "clusterset.yaml", string(text))
}

// schemeOf is the scheme, with "://", of a member's first upstream.
func schemeOf(upstreams any) string {
	if list, ok := upstreams.([]any); ok {
		if scheme, _, found := strings.Cut(fmt.Sprint(list[0]), "://"); found {
			return scheme + "://"
		}
	}
	return ""
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
