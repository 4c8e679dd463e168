//go:build e2e

package harness

import (
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
)

// StartRelay starts a relay before a cluster's API server, and returns the text of a
// kubeconfig that leads through it: the API's certificate is for the address,
// whatever the port. The test's end stops the relay.
func StartRelay(t testing.TB, up *apiserver.Clusters, name string) (r *Relay, kubeconfig string) {
	t.Helper()
	server := up.Server(name)
	r = &Relay{Addr: FreeAddr(t, "127.0.0.1").String(), Server: strings.TrimPrefix(server, "https://")}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r, strings.Replace(ReadFile(t, up.Kubeconfig(name)), server, "https://"+r.Addr, 1)
}

// Reopen starts a relay again after a Stop.
func (r *Relay) Reopen(t testing.TB) {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}
