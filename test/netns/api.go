//go:build e2e && linux

package netns

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// api is a cluster's API server, with the rights of its administrator, who is
// inside the cluster.
type api struct {
	c      *cluster
	client *kubernetes.Clientset
}

// apiAddress is the first of the services' addresses, which the API server's
// certificate is for.
func (c *cluster) apiAddress() string { return fmt.Sprintf("10.%d.0.1", 100+c.index) }

// startAPI starts an API server inside the cluster, with podinfo's Service, and
// has all clusters know the way to it. It is to be called before startDNS.
func (c *cluster) startAPI(t testing.TB) *api {
	t.Helper()
	t.Setenv("KUBE_BIN", c.kubeInside(t))
	up := apiserver.Start(t, c.name+"="+c.subnet())
	server := up.Server(c.name)
	c.exposeAPI(t, server)
	c.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	harness.WriteFile(t, c.kubeconfig, strings.Replace(harness.ReadFile(t, up.Kubeconfig(c.name)), server, "https://"+c.apiAddress(), 1))
	a := &api{c: c, client: c.apiClient(t, up.Kubeconfig(c.name))}
	harness.AwaitNamespace(t, a.client, "default")
	a.create(t, "podinfo", c.podinfoAddress())
	return a
}

// kubeInside is a program that runs kube inside the cluster.
func (c *cluster) kubeInside(t testing.TB) string {
	t.Helper()
	kube := os.Getenv("KUBE_BIN")
	if kube == "" {
		kube = filepath.Join(harness.Root(), "bin", "kube")
	}
	path := filepath.Join(t.TempDir(), "kube")
	text := fmt.Sprintf("#!/bin/sh\nexec ip netns exec %s %s \"$@\"\n", c.ns, kube)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// exposeAPI leads from the service's address, where the other clusters look for
// the API, to the loopback address where the API server listens, as kube-proxy
// would.
func (c *cluster) exposeAPI(t testing.TB, server string) {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	c.ns.ip(t, "address", "add", c.apiAddress()+"/32", "dev", "lo")
	output(t, c.ns.command("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"))
	c.ns.nft(t, "add", "table", "ip", "kube")
	for _, hook := range []string{"prerouting", "output"} {
		c.ns.nft(t, "add", "chain", "ip", "kube", hook, "{ type nat hook "+hook+" priority -100; }")
		c.ns.nft(t, "add", "rule", "ip", "kube", hook, "ip", "daddr", c.apiAddress(), "tcp", "dport", "443", "dnat", "to", at.Host)
	}
}

func (c *cluster) apiClient(t testing.TB, kubeconfig string) *kubernetes.Clientset {
	t.Helper()
	config := harness.ClientConfig(t, kubeconfig)
	config.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
		return c.ns.dial(network, address, askTimeout)
	}
	config.Timeout = askTimeout
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// create makes a Service with the cluster IP.
func (a *api) create(t testing.TB, name, address string) {
	t.Helper()
	_, err := a.client.CoreV1().Services("default").Create(t.Context(), &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1.ServiceSpec{ClusterIP: address, Ports: []v1.ServicePort{{Name: "http", Port: 80}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (a *api) delete(t testing.TB, name string) {
	t.Helper()
	if err := a.client.CoreV1().Services("default").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}
