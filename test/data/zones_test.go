//go:build e2e

package data

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// startZones starts a CoreDNS that serves the member's domain from a file: who is
// all it knows, with an address that isn't that of the member's API.
func startZones(t *testing.T, c *cluster) (addr string) {
	t.Helper()
	addr = freeAddr(t, ip)
	zone := fmt.Sprintf(`@ 5 IN SOA ns.dns hostmaster 1 7200 1800 86400 5
@ 5 IN NS ns.dns
ns.dns 5 IN A %s
%s.%s.svc 5 IN A %[1]s
`, c.forwardedIP(), who, namespace)
	startMemberDNS(t, addr, "file zone cluster.local", map[string]string{"zone": zone})
	return addr
}

// startKubernetes starts what a member's DNS is in real life: CoreDNS with its
// kubernetes plugin.
func startKubernetes(t *testing.T, c *cluster) (addr string) {
	t.Helper()
	addr = freeAddr(t, ip)
	startMemberDNS(t, addr, "kubernetes cluster.local {\n kubeconfig "+c.up.Kubeconfig(c.name)+"\n}", nil)
	return addr
}

func startMemberDNS(t *testing.T, addr, plugin string, files map[string]string) {
	t.Helper()
	all := map[string]string{"Corefile": fmt.Sprintf("cluster.local:%s {\n bind %s\n errors\n %s\n}\n", port(addr), ip, plugin)}
	for name, text := range files {
		all[name] = text
	}
	startCoreDNS(t, all)
	client := dns.Client{Timeout: time.Second}
	question := new(dns.Msg).SetQuestion(who+"."+namespace+".svc.cluster.local.", dns.TypeA)
	eventually(t, startLimit, "DNS at "+addr, func() error {
		reply, _, err := client.Exchange(question, addr)
		if err == nil && len(reply.Answer) == 0 {
			return fmt.Errorf("no answer: %s", dns.RcodeToString[reply.Rcode])
		}
		return err
	})
}
