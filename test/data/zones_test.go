//go:build e2e

package data

import (
	"fmt"
	"maps"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// startZones starts a CoreDNS that serves the member's domain from a file: who is
// all it knows, with an address that isn't that of the member's API.
func startZones(t *testing.T, c *cluster) (addr string) {
	t.Helper()
	zone := fmt.Sprintf(`@ 5 IN SOA ns.dns hostmaster 1 7200 1800 86400 5
@ 5 IN NS ns.dns
ns.dns 5 IN A %s
%s.%s.svc 5 IN A %[1]s
`, c.forwardedIP(), who, namespace)
	return startMemberDNS(t, c.name, "file zone cluster.local", map[string]string{"zone": zone})
}

// startKubernetes starts what a member's DNS is in real life: CoreDNS with its
// kubernetes plugin.
func startKubernetes(t *testing.T, c *cluster) (addr string) {
	t.Helper()
	return startMemberDNS(t, c.name, "kubernetes cluster.local {\n kubeconfig "+c.up.Kubeconfig(c.name)+"\n}", nil)
}

func startMemberDNS(t *testing.T, member, plugin string, files map[string]string) (addr string) {
	t.Helper()
	at := harness.FreeAddr(t, ip)
	all := map[string]string{"Corefile": fmt.Sprintf("cluster.local:%d {\n bind %s\n errors\n %s\n}\n", at.Port(), ip, plugin)}
	maps.Copy(all, files)
	p := harness.StartCoreDNS(t, member+"'s DNS", all)
	p.AwaitDNS(dns.Client{}, at.String(), who+"."+namespace+".svc.cluster.local.")
	return at.String()
}
