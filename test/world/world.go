//go:build e2e && linux

package world

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// World is three clusters.
type World struct {
	// Clusters are cluster1, cluster2 and cluster3.
	Clusters []*Cluster
	// Kubeconfig is the path of a file with a context for each, by its name, for an
	// administrator. cluster1's is the current one.
	Kubeconfig string
	// APIs stops, freezes and wipes API servers.
	APIs *apiserver.Clusters

	t testing.TB
}

// Cluster is one of them.
type Cluster struct {
	Name string
	// Config, Client and Dynamic are an administrator's.
	Config   *rest.Config
	Client   *kubernetes.Clientset
	Dynamic  *dynamic.DynamicClient
	Replicas []*Replica

	t testing.TB
	n int
}

// replicas is how many pods a cluster's CoreDNS has.
const replicas = 2

// Start starts the clusters, and returns when each one's CoreDNS answers. The test's end
// stops them. It takes 8 s on a machine that does nothing else.
func Start(t testing.TB) *World {
	t.Helper()
	w := &World{t: t}
	var specs []string
	for n := 1; n <= 3; n++ {
		c := &Cluster{Name: fmt.Sprintf("cluster%d", n), n: n, t: t}
		for i := 1; i <= replicas; i++ {
			c.Replicas = append(c.Replicas, &Replica{Cluster: c, n: i})
		}
		w.Clusters = append(w.Clusters, c)
		specs = append(specs, c.Name+"="+c.ServiceCIDR())
	}
	w.APIs = apiserver.Start(t, specs...)
	w.writeKubeconfig()
	var making sync.WaitGroup
	for _, c := range w.Clusters {
		making.Go(c.makeObjects)
	}
	making.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, c := range w.Clusters {
		c.startKubelet()
		for _, r := range c.Replicas {
			r.start()
		}
	}
	for _, c := range w.Clusters {
		for _, r := range c.Replicas {
			r.awaitDNS()
		}
	}
	return w
}

// Cluster returns the one of that name.
func (w *World) Cluster(name string) *Cluster {
	w.t.Helper()
	for _, c := range w.Clusters {
		if c.Name == name {
			return c
		}
	}
	w.t.Fatalf("world: no cluster %q", name)
	return nil
}

// StopDNS ends all replicas of the cluster's CoreDNS as a crash does; StartDNS brings
// them back, and waits until they answer.
func (c *Cluster) StopDNS() {
	for _, r := range c.Replicas {
		r.Kill()
	}
}

// StartDNS is told at StopDNS.
func (c *Cluster) StartDNS() {
	c.t.Helper()
	for _, r := range c.Replicas {
		r.Start()
	}
}

// ServiceCIDR is that of its services.
func (c *Cluster) ServiceCIDR() string { return fmt.Sprintf("10.%d.0.0/16", 100+c.n) }

// PodCIDR is that of its pods.
func (c *Cluster) PodCIDR() string { return fmt.Sprintf("10.%d.0.0/16", 50+c.n) }

// DNS is the address of its DNS service.
func (c *Cluster) DNS() string { return c.service(10) }

// Web is the address of the Service web in the namespace shop.
func (c *Cluster) Web() string { return c.service(20) }

// API is where its API server is reached: the Service kubernetes.
func (c *Cluster) API() string {
	return netip.AddrPortFrom(netip.MustParseAddr(c.service(1)), 443).String()
}

// Node is the address of its node.
func (c *Cluster) Node() string { return fmt.Sprintf("192.168.0.%d", 10+c.n) }

// PodAddress is that of a pod.
func (c *Cluster) PodAddress(i int) string { return fmt.Sprintf("10.%d.0.%d", 50+c.n, i) }
func (c *Cluster) service(i int) string    { return fmt.Sprintf("10.%d.0.%d", 100+c.n, i) }

// writeKubeconfig writes the file of all contexts, and has the API servers reached at
// their clusters' addresses.
func (w *World) writeKubeconfig() {
	w.t.Helper()
	all := api.NewConfig()
	for _, c := range w.Clusters {
		w.relay(c, c.API())
		for _, r := range c.Replicas {
			r.API = w.relay(c, r.Loopback()+":6443")
		}
		own, err := clientcmd.LoadFromFile(w.APIs.Kubeconfig(c.Name))
		if err != nil {
			w.t.Fatal(err)
		}
		context := own.Contexts[own.CurrentContext]
		cluster := own.Clusters[context.Cluster]
		cluster.Server = "https://" + c.API()
		all.Clusters[c.Name] = cluster
		all.AuthInfos[c.Name+"-admin"] = own.AuthInfos[context.AuthInfo]
		all.Contexts[c.Name] = &api.Context{Cluster: c.Name, AuthInfo: c.Name + "-admin"}
	}
	all.CurrentContext = w.Clusters[0].Name
	w.Kubeconfig = filepath.Join(w.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*all, w.Kubeconfig); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range w.Clusters {
		c.connect(*all)
	}
}

// relay has the cluster's API server reached at an address.
func (w *World) relay(c *Cluster, at string) *harness.Relay {
	w.t.Helper()
	relay := &harness.Relay{Addr: at, Server: strings.TrimPrefix(w.APIs.Server(c.Name), "https://")}
	if err := relay.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(relay.Stop)
	return relay
}

// connect makes the clients.
func (c *Cluster) connect(all api.Config) {
	c.t.Helper()
	var err error
	if c.Config, err = clientcmd.NewNonInteractiveClientConfig(all, c.Name, nil, nil).ClientConfig(); err != nil {
		c.t.Fatal(err)
	}
	c.Config.QPS = -1
	if c.Client, err = kubernetes.NewForConfig(c.Config); err != nil {
		c.t.Fatal(err)
	}
	if c.Dynamic, err = dynamic.NewForConfig(c.Config); err != nil {
		c.t.Fatal(err)
	}
}
