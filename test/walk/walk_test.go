//go:build e2e

package walk

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// deciding are the packages that a question goes through: from its message to how it is
// answered and back. What they call in the packages below is theirs to know.
var deciding = []string{"clusterset", "resolver", "question", "records", "services", "guard", "members"}

// What an answer may take in these at the most: a function that is called twice counts
// twice.
const (
	dataCalls, dataFiles = 15, 6
	forwardedCalls       = 35
)

const (
	// ip is where all servers of this package listen.
	ip = "127.0.131.1"
	// seen bounds what takes some milliseconds on a machine that does nothing else.
	seen = 5 * time.Second
	// repeats is how often a query is recorded. The shortest trace counts: the others
	// have what a connection or a timer did meanwhile.
	repeats = 5
)

// Names of the members, and where the ClusterSet is.
const (
	watched, forwarded, added = "c1", "c2", "c3"

	namespace, configMap = "kube-system", "clusterset"
)

// TestWalks: what is called for an answer from fresh data, for a forwarded one that
// isn't cached, for a new member, and for names over the whole ClusterSet, from data and by
// DNS alone, is what CONTRIBUTING.md says.
func TestWalks(t *testing.T) {
	t.Setenv("COREDNS_BIN", buildCoreDNS(t))
	up := apiserver.Start(t, watched+"=10.101.0.0/16")
	client := harness.NewClient(t, up.Kubeconfig(watched))
	harness.AwaitNamespace(t, client, "default")
	harness.AwaitNamespace(t, client, namespace)
	harness.Put(t, client.CoreV1().Services("default"), &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "who", Labels: map[string]string{"mirror.linkerd.io/exported": "true"}},
		Spec:       v1.ServiceSpec{ClusterIP: "10.101.1.1", Ports: []v1.ServicePort{{Name: "http", Port: 80}}},
	})
	harness.Put(t, client.DiscoveryV1().EndpointSlices("default"), &discovery.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "who-1", Labels: map[string]string{discovery.LabelServiceName: "who"}},
		AddressType: discovery.AddressTypeIPv4, Endpoints: []discovery.Endpoint{{Addresses: []string{"10.51.1.1"}}},
	})
	upstream := startUpstream(t)
	members := entry(watched, 1, upstream) + fmt.Sprintf("  kubeconfig: {file: %s}\n", up.Kubeconfig(watched)) + entry(forwarded, 2, upstream)
	write(t, client, members)

	socket := filepath.Join(t.TempDir(), "calls")
	t.Setenv("CLUSTERSET_WALK", socket)
	s := harness.StartServer(t, "clusterset", ip, "clusterset lan {\n configmap\n kubeconfig "+up.Kubeconfig(watched)+"\n ttl 60\n }", nil)
	s.Await(t, harness.StartLimit, name("who", watched), "NOERROR 60 10.101.1.1") // from data: its DNS has another TTL
	s.Await(t, seen, name("first", forwarded), "NOERROR 5 10.102.1.1")

	t.Run("data", func(t *testing.T) {
		calls := shortest(t, socket, s, func(int) string { return name("who", watched) }, "NOERROR 60 10.101.1.1")
		if own := calls.in(deciding...); len(own) > dataCalls || own.files() > dataFiles {
			t.Errorf("%d calls in %d files, want %d in %d at most:\n%s", len(own), own.files(), dataCalls, dataFiles, own)
		}
		checkWalk(t, "data", calls)
	})
	t.Run("forwarded", func(t *testing.T) {
		calls := shortest(t, socket, s, func(i int) string { return name(fmt.Sprintf("who%d", i), forwarded) }, "NOERROR 5 10.102.1.1")
		if own := calls.in(deciding...); len(own) > forwardedCalls {
			t.Errorf("%d calls, want %d at most:\n%s", len(own), forwardedCalls, own)
		}
		checkWalk(t, "forwarded", calls)
	})
	t.Run("configmap", func(t *testing.T) {
		calls := record(t, socket, "members.(*Manager).drainAllBut", func() (asked int) {
			write(t, client, members+entry(added, 3, upstream))
			harness.Eventually(t, seen, added, func() error {
				asked++
				return s.Answers(added+".lan.", "NOERROR")
			})
			return asked
		}).background()
		t.Log(calls)
		checkWalk(t, "configmap", calls)
	})
	walkOverset(t, up, upstream)
}

// shortest asks for names, one after the other, and returns the shortest trace.
func shortest(t *testing.T, socket string, s *harness.Server, name func(int) string, reply string) (calls trace) {
	t.Helper()
	for i := range repeats {
		each := record(t, socket, "", func() int {
			s.Want(t, name(i), reply)
			return 1
		}).query()
		t.Logf("%d calls", len(each))
		if i == 0 || len(each) < len(calls) {
			calls = each
		}
	}
	t.Log(calls)
	return calls
}

func name(service, member string) string { return service + ".default." + member + ".lan." }

// startUpstream starts the members' DNS, and returns its address.
func startUpstream(t *testing.T) string {
	t.Helper()
	m := harness.StartMemberDNS(t, "the members' DNS", ip, "file zone", map[string]string{
		"zone": "@ 5 IN SOA ns.dns hostmaster 1 7200 1800 86400 5\n@ 5 IN NS ns.dns\nns.dns 5 IN A 10.102.1.1\n" +
			"*.default.svc 5 IN A 10.102.1.1\n",
	}, "cluster.local")
	m.AwaitDNS(dns.Client{}, m.Addr, harness.MemberName)
	return m.Addr
}

// entry is a member in the document.
func entry(name string, n int, upstream string) string {
	return fmt.Sprintf("- name: %s\n  serviceCIDRs: [10.%d.0.0/16]\n  dns: [\"%s\"]\n", name, 100+n, upstream)
}

// write makes these members the ClusterSet.
func write(t *testing.T, client *kubernetes.Clientset, members string) {
	t.Helper()
	harness.Put(t, client.CoreV1().ConfigMaps(namespace), &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: configMap},
		Data:       map[string]string{"clusterset.yaml": document(members)},
	})
}

func document(members string) string {
	return "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n" + members
}
