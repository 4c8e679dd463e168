//go:build e2e

package harness

import (
	"fmt"
	"maps"
	"testing"
)

// MemberName is a name that each member's DNS has an address for.
const MemberName = "who.default.svc.cluster.local."

// MemberDNS is a CoreDNS that serves cluster.local, as a member's DNS does.
type MemberDNS struct {
	*Process
	Addr string // as a document's dns has it
}

// StartMemberDNS starts one at a free port of ip, with one server block, for the
// zones, as "cluster.local", or "tls://cluster.local". It reports errors and has those
// lines besides; the files, by name, are put beside its Corefile. It doesn't wait for
// anything.
func StartMemberDNS(t testing.TB, name, ip, lines string, files map[string]string, zones ...string) *MemberDNS {
	t.Helper()
	at := FreeAddr(t, ip)
	var keys string
	for _, zone := range zones {
		keys += fmt.Sprintf("%s:%d ", zone, at.Port())
	}
	all := map[string]string{"Corefile": fmt.Sprintf("%s{\n bind %s\n errors\n %s\n}\n", keys, ip, lines)}
	maps.Copy(all, files)
	return &MemberDNS{StartCoreDNS(t, name, all), at.String()}
}
