//go:build e2e

package configmap

import (
	"maps"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// dnsService is a CoreDNS that serves cluster.local as a member's DNS does. Its
// zone has one service, who.default, whose address is the server's mark.
type dnsService struct {
	*harness.MemberDNS
	t    *testing.T
	mark string
}

// startMember starts one at ip. Documents that name it have to own mark.
func startMember(t *testing.T, ip, mark string) *dnsService {
	t.Helper()
	m := newMember(t, ip, mark, "dns://", "", nil)
	m.await(dns.Client{Net: "udp"})
	return m
}

// newMember starts one that serves by the scheme, with more lines in its block
// and more files beside its Corefile.
func newMember(t *testing.T, ip, mark, scheme, more string, files map[string]string) *dnsService {
	t.Helper()
	all := map[string]string{"cluster.db": zone(mark), "reverse.db": reverseZone(t, mark)}
	maps.Copy(all, files)
	m := harness.StartMemberDNS(t, "the member's DNS "+mark, ip, more+`
    file cluster.db cluster.local
    file reverse.db in-addr.arpa`, all, scheme+"cluster.local", scheme+"in-addr.arpa")
	return &dnsService{m, t, mark}
}

// await waits until it answers.
func (m *dnsService) await(client dns.Client) {
	m.t.Helper()
	m.AwaitDNS(client, m.Addr, harness.MemberName)
}

func zone(mark string) string {
	return lines(
		"@ 5 IN SOA ns.dns hostmaster 1 7200 1800 86400 5",
		"@ 5 IN NS ns.dns",
		"ns.dns 5 IN A "+mark,
		"who.default.svc 5 IN A "+mark,
	)
}

func reverseZone(t *testing.T, mark string) string {
	t.Helper()
	return lines(
		"@ 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5",
		"@ 5 IN NS ns.dns.cluster.local.",
		reverseName(t, mark)+" 5 IN PTR who.default.svc.cluster.local.",
	)
}

func reverseName(t *testing.T, addr string) string {
	t.Helper()
	name, err := dns.ReverseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// lines joins the lines of a file.
func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }
