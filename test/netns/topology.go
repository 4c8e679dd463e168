//go:build e2e && linux

package netns

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// clusterCount is how many clusters there are.
const clusterCount = 3

// network is the clusters and the router between them.
type network struct {
	router   namespace
	clusters []*cluster
}

// cluster is a namespace with a service subnet.
type cluster struct {
	name    string // "cluster1"
	index   int
	ns      namespace
	network *network
	dns     *coredns
	// upstreams are the addresses of its DNS that the others are told; none: they
	// aren't told.
	upstreams []string
	// kubeconfig is the file that leads to its API, "" where it has none.
	kubeconfig string
}

// newNetwork makes the namespaces, links and routes; nothing runs in them yet.
// All of it goes when t ends.
func newNetwork(t testing.TB) *network {
	t.Helper()
	needs(t)
	run := "clusterset-" + rand.Text()[:8] // other runs may be under way
	n := &network{router: namespace(run + "-router")}
	namespaces := []namespace{n.router}
	for i := range clusterCount {
		c := &cluster{name: fmt.Sprintf("cluster%d", i), index: i, network: n}
		c.ns = namespace(run + "-" + c.name)
		n.clusters = append(n.clusters, c)
		namespaces = append(namespaces, c.ns)
	}
	removeAtEnd(t, namespaces...)
	for _, ns := range namespaces {
		output(t, mortal(exec.Command("ip", "netns", "add", string(ns))))
		ns.ip(t, "link", "set", "lo", "up")
	}
	output(t, n.router.command("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
	for _, c := range n.clusters {
		c.connect(t)
	}
	return n
}

// needs skips the test where it can't run, saying what is missing.
func needs(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	for program, pkg := range map[string]string{"ip": "iproute2", "nft": "nftables"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s: install the package %s", program, pkg)
		}
	}
}

// connect lays the link between the cluster and the router: eth0 here, the
// cluster's name there. Service addresses are put on lo, as nothing proxies.
func (c *cluster) connect(t testing.TB) {
	t.Helper()
	router := c.network.router
	c.ns.ip(t, "link", "add", "eth0", "type", "veth", "peer", "name", c.name, "netns", string(router))
	c.ns.ip(t, "address", "add", c.linkAddress(2)+"/30", "dev", "eth0")
	router.ip(t, "address", "add", c.linkAddress(1)+"/30", "dev", c.name)
	c.plugUplink(t)
	c.plug(t)
	for _, address := range []string{c.dnsAddress(), c.podinfoAddress()} {
		c.ns.ip(t, "address", "add", address+"/32", "dev", "lo")
	}
}

// linkAddress is that of an end of the link: 1 the router's, 2 the cluster's.
func (c *cluster) linkAddress(end int) string { return fmt.Sprintf("192.168.%d.%d", c.index, end) }

func (c *cluster) subnet() string { return fmt.Sprintf("10.%d.0.0/19", 100+c.index) }

// dnsAddress is the subnet's 10th, which nobody has to be told.
func (c *cluster) dnsAddress() string { return fmt.Sprintf("10.%d.0.10", 100+c.index) }

func (c *cluster) podinfoAddress() string { return fmt.Sprintf("10.%d.17.20", 100+c.index) }

// podSubnet is where a headless service's addresses are; nothing answers there.
func (c *cluster) podSubnet() string { return fmt.Sprintf("10.%d.0.0/16", 50+c.index) }
