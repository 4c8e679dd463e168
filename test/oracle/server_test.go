//go:build e2e

package oracle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// limit bounds what is waited for: a start, a change seen.
const limit = 20 * time.Second

// server is one of the two: a CoreDNS, and where it answers, on UDP and TCP.
type server struct {
	*harness.Process
	addr string
}

// Addresses that no other test uses. The kubernetes plugin leaves loopback
// addresses out of its name server's, so that it has none here.
const theirIP, ourIP = "127.77.3.1", "127.77.3.2"

// outside are blocks with the zones that ExternalNames lead to: one that is
// well, and one whose server fails. Names of other zones are refused.
const outside = `
outside.test:%[1]d {
    bind %[2]s
    file outside.db
}
broken.test:%[1]d {
    bind %[2]s
    template IN ANY {
        rcode SERVFAIL
    }
}
`

const outsideZone = `$ORIGIN outside.test.
@     60 IN SOA ns hostmaster 1 7200 1800 86400 60
@     60 IN NS ns
ns    60 IN A 192.0.2.1
www   60 IN A 192.0.2.10
www   60 IN A 192.0.2.11
www   60 IN AAAA 2001:db8::10
www   60 IN TXT "outside"
www   60 IN MX 10 mail
www   60 IN HTTPS 1 . alpn=h2
www4  60 IN A 192.0.2.12
alias 60 IN CNAME www
lost  60 IN CNAME missing
`

// startOracle starts CoreDNS's own kubernetes plugin, with more options if need be.
func startOracle(t *testing.T, kubeconfig string, options ...string) *server {
	t.Helper()
	addr := harness.FreeAddr(t, theirIP)
	return &server{harness.StartCoreDNS(t, "kubernetes", map[string]string{"outside.db": outsideZone, "Corefile": fmt.Sprintf(`
cluster.local:%[1]d in-addr.arpa:%[1]d ip6.arpa:%[1]d {
    bind %[2]s
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %[3]s
        %[4]s
    }
}
`+outside, addr.Port(), theirIP, kubeconfig, strings.Join(options, "\n        "))}), addr.String()}
}

// startOurs starts clusterset with one member, c1: the API server, and the
// oracle as its DNS; fields are more of the member's.
func startOurs(t *testing.T, mode, kubeconfig, dns string, fields ...string) *server {
	t.Helper()
	addr := harness.FreeAddr(t, ourIP)
	source := "mode " + mode
	if mode != "resolve" {
		source += "\n        cache 0" // else an answer may be older than the last change
	}
	return &server{harness.StartCoreDNS(t, "clusterset", map[string]string{
		"outside.db":      outsideZone,
		"clusterset.yaml": fmt.Sprintf(document, serviceCIDR4, serviceCIDR6, podCIDR4, podCIDR6, dns, kubeconfig) + strings.Join(fields, "\n"),
		"Corefile": fmt.Sprintf(`
lan:%[1]d in-addr.arpa:%[1]d ip6.arpa:%[1]d {
    bind %[2]s
    errors
    clusterset lan in-addr.arpa ip6.arpa {
        file clusterset.yaml
        %[3]s
    }
}
`+outside, addr.Port(), ourIP, source)}), addr.String()}
}

// startImports starts both for names over the whole ClusterSet.
func (a *api) startImports() *comparison {
	a.t.Helper()
	addr := harness.FreeAddr(a.t, theirIP)
	theirs := &server{harness.StartCoreDNS(a.t, "kubernetes", map[string]string{"Corefile": fmt.Sprintf(`
clusterset.local:%d {
    bind %s
    errors
    kubernetes clusterset.local {
        multicluster clusterset.local
        kubeconfig %s
    }
}
`, addr.Port(), theirIP, a.kubeconfig)}), addr.String()}
	addr = harness.FreeAddr(a.t, ourIP)
	ours := &server{harness.StartCoreDNS(a.t, "clusterset", map[string]string{
		"clusterset.yaml": fmt.Sprintf(document, serviceCIDR4, serviceCIDR6, podCIDR4, podCIDR6, theirs.addr, a.kubeconfig),
		"Corefile": fmt.Sprintf(`
lan:%[1]d clusterset.local:%[1]d {
    bind %[2]s
    errors
    clusterset lan clusterset.local {
        multicluster clusterset.local
        file clusterset.yaml
        kubeconfig %[3]s
    }
}
`, addr.Port(), ourIP, a.kubeconfig)}), addr.String()}
	return newComparison(a.t, imports, theirs, ours)
}

// document has the pods' ranges among the services', so that their addresses'
// names are served, and no podCIDRs: with them address_guard would drop the
// endpoints outside.
const document = `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- name: c1
  serviceCIDRs: ["%s", "%s", "%s", "%s"]
  dns: ["%s"]
  kubeconfig: {file: "%s"}
  `
