//go:build e2e

package data

import (
	"fmt"
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
	m := harness.StartMemberDNS(t, member+"'s DNS", ip, plugin, files, "cluster.local")
	m.AwaitDNS(dns.Client{}, m.Addr, harness.MemberName)
	return m.Addr
}
