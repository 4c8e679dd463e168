//go:build e2e && linux

package resolvers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// startServers starts all but the resolver: the root, the members and ours.
func startServers(t *testing.T) {
	t.Helper()
	k1, k2 := startAPIs(t)
	root := harness.StartCoreDNS(t, "root", map[string]string{"Corefile": corefileRoot, "root.zone": rootZone + section(t, "zone")})
	for i, ip := range []string{"127.0.0.11", "127.0.0.12"} {
		own := strings.NewReplacer("10.101.", fmt.Sprintf("10.%d01.", i+1), "10-101-", fmt.Sprintf("10-%d01-", i+1),
			"fd00:101:", fmt.Sprintf("fd00:%d01:", i+1), "101.10.in", fmt.Sprintf("%d01.10.in", i+1), "1.0.1.0.0.0.d.f", fmt.Sprintf("1.0.%d.0.0.0.d.f", i+1), "IP", ip)
		harness.StartCoreDNS(t, "member at "+ip, map[string]string{
			"Corefile": own.Replace(corefileMember), "cluster.local.zone": own.Replace(memberZone),
			"reverse4.zone": own.Replace(reverseZone4), "reverse6.zone": own.Replace(reverseZone6),
		}).AwaitDNS(dns.Client{}, ip+":5300", "web.default.svc.cluster.local.")
	}
	harness.StartCoreDNS(t, "k2's DNS", map[string]string{"Corefile": fmt.Sprintf(corefileKubernetes, k2)}).
		AwaitDNS(dns.Client{}, "127.0.0.14:5300", "web.default.svc.cluster.local.")
	root.AwaitDNS(dns.Client{}, "127.0.0.2:53", "www.example.")
	ours := harness.StartCoreDNS(t, "clusterset", map[string]string{
		"Corefile": corefileOurs, "clusterset.yaml": document + fmt.Sprintf(watched, k1),
	})
	ours.AwaitDNS(dns.Client{}, ours4+":53", "web.default.k1.lan.")
}

// startAPIs starts the APIs of k1 and k2, with the Services of memberZone, and gives
// their kubeconfigs.
func startAPIs(t *testing.T) (k1, k2 string) {
	t.Helper()
	up := apiserver.Start(t, "k1=10.103.0.0/16", "k2=10.104.0.0/16")
	for name, net := range map[string]string{"k1": "10.103.", "k2": "10.104."} {
		fill(t, harness.NewClient(t, up.Kubeconfig(name)), net)
	}
	return up.Kubeconfig("k1"), up.Kubeconfig("k2")
}

func fill(t *testing.T, client *kubernetes.Clientset, net string) {
	t.Helper()
	const namespace = "default"
	harness.AwaitNamespace(t, client, namespace)
	for name, spec := range map[string]v1.ServiceSpec{
		"web": {ClusterIP: net + "1.1", Ports: []v1.ServicePort{{Name: "http", Port: 80}}},
		"db":  {ClusterIP: v1.ClusterIPNone, Ports: []v1.ServicePort{{Name: "pg", Port: 5432}}},
		"out": {Type: v1.ServiceTypeExternalName, ExternalName: "www.example"},
	} {
		harness.Put(t, client.CoreV1().Services(namespace), &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec})
	}
	harness.Put(t, client.DiscoveryV1().EndpointSlices(namespace), &discovery.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "db-1", Labels: map[string]string{discovery.LabelServiceName: "db"}},
		AddressType: discovery.AddressTypeIPv4,
		Endpoints:   []discovery.Endpoint{{Addresses: []string{net + "2.1"}, Hostname: new("db-0")}},
		Ports:       []discovery.EndpointPort{{Name: new("pg"), Protocol: new(v1.ProtocolTCP), Port: new(int32(5432))}},
	})
}

// section is the one code block of the man page's section on delegation that is of
// that language, word for word.
func section(t *testing.T, language string) string {
	t.Helper()
	page := harness.ReadFile(t, harness.Root()+"/plugin/clusterset/README.md")
	_, rest, found := strings.Cut(page, "\n~~~ "+language+"\n")
	block, _, closed := strings.Cut(rest, "~~~\n")
	if !found || !closed {
		t.Fatalf("the man page has no block of %s", language)
	}
	return block
}
