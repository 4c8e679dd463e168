//go:build e2e

package deploy

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// scrapedNames are asked for all the time: from data, from a member's DNS and the cache,
// from a member that is dead; over the whole ClusterSet, of who has it and of nobody.
var scrapedNames = []string{
	"web.default.east.lan.", "who.default.west.lan.", "who.default.dead.lan.",
	"web.default.svc.clusterset.local.", "nobody.default.svc.clusterset.local.",
}

// westZone is west's DNS, with a TTL that ends now and then: the cache both has the name
// and hasn't.
const westZone = `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
who.default.svc.cluster.local. 1 IN A 10.102.0.20
`

// startScraped runs a CoreDNS with three members: east, whose API is watched and whose
// gateway is probed; west, which is forwarded to; and one that is dead. It is asked for
// their names until the test ends. change changes east's data.
func startScraped(t *testing.T) (server *harness.Server, change func()) {
	t.Helper()
	clusters := apiserver.Start(t, "east=10.101.0.0/16")
	fillEast(t, clusters)
	west := harness.StartMemberDNS(t, "west", prometheusIP, "file zone", map[string]string{"zone": westZone}, "cluster.local")
	document := fmt.Sprintf(`apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- {name: east, serviceCIDRs: [10.101.0.0/16], dns: [%[1]q], kubeconfig: {file: %[2]q}, probe: "tcp://%[3]s"}
- {name: west, serviceCIDRs: [10.102.0.0/16], dns: [%[1]q]}
- {name: dead, serviceCIDRs: [10.103.0.0/16], dns: ["127.0.0.1:1"]}
`, west.Addr, clusters.Kubeconfig("east"), strings.TrimPrefix(clusters.Server("east"), "https://"))
	west.AwaitDNS(dns.Client{}, west.Addr, "who.default.svc.cluster.local.")
	server = harness.StartServer(t, "clusterset", prometheusIP,
		"clusterset lan clusterset.local {\n file clusterset.yaml\n multicluster clusterset.local\n }",
		map[string]string{"clusterset.yaml": document})
	harness.Eventually(t, harness.StartLimit, "ready", server.IsReady)
	askAlways(t, server)
	return server, func() { changeEast(t, clusters) }
}

// askAlways asks for all the names, again and again, until the test ends.
func askAlways(t *testing.T, server *harness.Server) {
	ended := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		pause := time.NewTicker(50 * time.Millisecond)
		defer pause.Stop()
		for {
			for _, name := range scrapedNames {
				_, _ = server.Ask("udp", name) // the metrics say what came of it
			}
			select {
			case <-ended:
				return
			case <-pause.C:
			}
		}
	})
	t.Cleanup(func() { close(ended); asking.Wait() })
}

// fillEast gives it the Service web.
func fillEast(t *testing.T, clusters *apiserver.Clusters) {
	t.Helper()
	client := harness.NewClient(t, clusters.Kubeconfig("east"))
	harness.AwaitNamespace(t, client, "default")
	service := &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{"service.cilium.io/global": "true"}},
		Spec:       v1.ServiceSpec{ClusterIP: "10.101.0.20", Ports: []v1.ServicePort{{Name: "http", Port: 80}}},
	}
	if _, err := client.CoreV1().Services("default").Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// changeEast gives web its endpoint, with the time at which that was so.
func changeEast(t *testing.T, clusters *apiserver.Clusters) {
	t.Helper()
	ready, port := true, int32(80)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web-1", Labels: map[string]string{discoveryv1.LabelServiceName: "web"},
			Annotations: map[string]string{v1.EndpointsLastChangeTriggerTime: time.Now().Format(time.RFC3339Nano)},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.51.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		Ports:       []discoveryv1.EndpointPort{{Port: &port}},
	}
	slices := harness.NewClient(t, clusters.Kubeconfig("east")).DiscoveryV1().EndpointSlices("default")
	if _, err := slices.Create(t.Context(), slice, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
