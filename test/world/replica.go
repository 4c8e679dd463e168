//go:build e2e && linux

package world

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/types"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const mergePatch = types.MergePatchType

// statusPort is where status serves, unless it is told otherwise.
const statusPort = 9154

// Replica is one pod of a cluster's CoreDNS: a process.
type Replica struct {
	Cluster *Cluster
	// API is between it and its cluster's API server: it can be silenced.
	API *harness.Relay

	n          int
	process    *harness.Process
	kubeconfig string
}

// Pod is its name.
func (r *Replica) Pod() string { return fmt.Sprintf("coredns-7c9f8d6b5-%dxw%dk", r.Cluster.n, r.n) }

// IP is its address.
func (r *Replica) IP() string { return r.Cluster.PodAddress(1 + r.n) }

// Loopback is what its 127.0.0.1 is in the namespace that all share.
func (r *Replica) Loopback() string { return fmt.Sprintf("127.%d.0.%d", r.Cluster.n, r.n) }

// Status is HOST:PORT of its status server.
func (r *Replica) Status() string { return fmt.Sprintf("%s:%d", r.Loopback(), statusPort) }

// Kill ends it as a crash does; its pod stays, for all that the API knows. Start brings it
// back and waits until it answers.
func (r *Replica) Kill() { r.process.Kill() }

// Start is told at Kill.
func (r *Replica) Start() {
	r.Cluster.t.Helper()
	r.process.Start()
	r.awaitDNS()
}

// Process is its process.
func (r *Replica) Process() *harness.Process { return r.process }

// SetCorefile has it run with another Corefile, from its start on.
func (r *Replica) SetCorefile(text string) {
	r.Cluster.t.Helper()
	r.process.Stop()
	r.process.Write("Corefile", r.render(text))
	r.Start()
}

// DefaultCorefile is the one of its ConfigMap to begin with.
func (r *Replica) DefaultCorefile() string { return r.Cluster.corefile() }

func (r *Replica) start() {
	r.process = harness.StartCoreDNS(r.Cluster.t, r.Pod(), map[string]string{"Corefile": r.render(r.Cluster.corefile())})
}

// awaitDNS waits until this replica, and not the other one at the service's address,
// answers for its cluster.
func (r *Replica) awaitDNS() {
	r.Cluster.t.Helper()
	r.process.AwaitDNS(dns.Client{}, r.IP()+":53", "kubernetes.default.svc.cluster.local.")
}

var (
	statusLine = regexp.MustCompile(`(?m)^(\s+)status[ \t]*$`)
	apiUser    = regexp.MustCompile(`(?m)^(\s*)((?:clusterset|kubernetes) [^{\n]*)\{$`)
)

// render makes of a pod's Corefile that of a process: it listens at the pod's address and
// the service's, has the pod's loopback, and is told where the API is, and as whom.
func (r *Replica) render(corefile string) string {
	corefile = statusLine.ReplaceAllString(corefile, "${1}status "+r.Status())
	corefile = apiUser.ReplaceAllString(corefile, "${1}${2}{\n${1}    kubeconfig "+r.kubeconfig)
	return strings.NewReplacer(
		".:53 {\n", fmt.Sprintf(".:53 {\n    bind %s %s\n", r.IP(), r.Cluster.DNS()),
		" health {", fmt.Sprintf(" health %s:8080 {", r.IP()),
		"lameduck 5s", "lameduck 0s", // nobody has to stop asking first
		" ready\n", fmt.Sprintf(" ready %s:8181\n", r.IP()),
		"prometheus :9153", fmt.Sprintf("prometheus %s:9153", r.IP()),
		// No network is behind this one: refused at once.
		"/etc/resolv.conf", "127.0.0.1:9",
	).Replace(corefile)
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	return harness.ReadFile(t, filepath.Join(harness.Root(), path))
}
