//go:build e2e

package walk

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// oversetIP is where the servers of names over the ClusterSet listen.
const oversetIP = "127.0.131.2"

// walkOverset: what is called for names over the whole ClusterSet, from data and by DNS alone.
func walkOverset(t *testing.T, up *apiserver.Clusters, upstream string) {
	t.Helper()
	t.Run("overset", func(t *testing.T) {
		s, socket := startOverset(t, entry(watched, 1, upstream)+fmt.Sprintf("  kubeconfig: {file: %s}\n", up.Kubeconfig(watched)))
		const who = "who.default.svc.clusterset.local."
		s.Await(t, harness.StartLimit, who, "NOERROR 60 10.101.1.1")
		checkWalk(t, "overset", shortest(t, socket, s, func(int) string { return who }, "NOERROR 60 10.101.1.1"))
	})
	t.Run("gathered", func(t *testing.T) {
		s, socket := startOverset(t, entry(forwarded, 2, upstream))
		overset := func(i int) string { return fmt.Sprintf("who%d.default.svc.clusterset.local.", i) }
		s.Await(t, seen, overset(-1), "NOERROR 5 10.102.1.1")
		checkWalk(t, "gathered", shortest(t, socket, s, overset, "NOERROR 5 10.102.1.1"))
	})
}

// startOverset starts a server of names over the ClusterSet of those members, and returns
// it with the socket that it is recorded by.
func startOverset(t *testing.T, members string) (s *harness.Server, socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "calls")
	t.Setenv("CLUSTERSET_WALK", socket)
	return harness.StartServer(t, "clusterset over members", oversetIP,
		"clusterset lan clusterset.local {\n file clusterset.yaml\n multicluster clusterset.local\n ttl 60\n }",
		map[string]string{"clusterset.yaml": document(members)}), socket
}
