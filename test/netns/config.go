//go:build e2e && linux

package netns

import (
	"fmt"
	"strings"
)

// documentFile has the ClusterSet, beside the Corefile.
const documentFile = "clusterset.yaml"

// headlessAddresses is how many pods the headless service has: 3.2 kB of
// records, more than the usual EDNS size and less than the largest.
const headlessAddresses = 200

// config is the Corefile of one of the cluster's servers and the files that it
// names.
func (c *cluster) config(address, metrics string) map[string]string {
	return map[string]string{
		"Corefile":      c.corefile(address, metrics),
		documentFile:    c.network.document(),
		"cluster.local": c.zone(),
		"reverse":       c.reverseZone(),
	}
}

// corefile has paths relative to its own directory, where CoreDNS is started. Names
// of pods are made up by the server: each has the address it says.
func (c *cluster) corefile(address, metrics string) string {
	var subnets []string
	for _, other := range c.network.clusters {
		subnets = append(subnets, other.subnet())
	}
	return fmt.Sprintf(`. {
    bind %s
    errors
    metadata
    log . "{name} {type} {proto} {rcode} {duration} cluster={/clusterset/cluster} source={/clusterset/source}"
    prometheus %s
    clusterset lan %s {
        file clusterset.yaml
        local %s
        cache 0
    }
    template IN A cluster.local {
        match ^10-(?P<b>[0-9]+)-(?P<c>[0-9]+)-(?P<d>[0-9]+)\.default\.pod\.cluster\.local\.$
        answer "{{ .Name }} 5 IN A 10.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
        fallthrough
    }
    file cluster.local cluster.local
    file reverse %d.10.in-addr.arpa
}
`, address, metrics, strings.Join(subnets, " "), c.name, 100+c.index)
}

// document is the same one for all clusters. It says where their DNS is only where
// that isn't at the usual address.
func (n *network) document() string {
	text := "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n"
	for _, c := range n.clusters {
		text += fmt.Sprintf("- name: %s\n  serviceCIDRs: [%s]\n  podCIDRs: [%s]\n", c.name, c.subnet(), c.podSubnet())
		if len(c.upstreams) > 0 {
			text += fmt.Sprintf("  dns: [%s]\n", strings.Join(c.upstreams, ", "))
		}
		if c.kubeconfig != "" {
			text += fmt.Sprintf("  kubeconfig: {file: %s}\n", c.kubeconfig)
		}
	}
	return text
}

const zoneHead = `$ORIGIN %s
$TTL 5
@ SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
@ NS ns.dns.cluster.local.
`

// zone is what a cluster's own DNS says about its services; "elsewhere" is an
// ExternalName that leads to another cluster.
func (c *cluster) zone() string {
	var b strings.Builder
	fmt.Fprintf(&b, zoneHead, "cluster.local.")
	fmt.Fprintf(&b, "ns.dns A %s\n", c.dnsAddress())
	fmt.Fprintf(&b, "podinfo.default.svc A %s\n", c.podinfoAddress())
	fmt.Fprintf(&b, "_http._tcp.podinfo.default.svc SRV 0 100 %s podinfo.default.svc\n", podinfoPort)
	fmt.Fprintf(&b, "elsewhere.default.svc CNAME podinfo.default.svc.%s.lan.\n", c.next().name)
	for i := range headlessAddresses {
		fmt.Fprintf(&b, "headless.default.svc A 10.%d.0.%d\n", 50+c.index, i+1)
	}
	return b.String()
}

// reverseZone is of the services' addresses.
func (c *cluster) reverseZone() string {
	return fmt.Sprintf(zoneHead+"20.17 PTR podinfo.default.svc.cluster.local.\n",
		fmt.Sprintf("%d.10.in-addr.arpa.", 100+c.index))
}

// next is the cluster after c, and the first one after the last.
func (c *cluster) next() *cluster { return c.network.clusters[(c.index+1)%clusterCount] }
