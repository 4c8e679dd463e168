package corefile

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	memberName = "dns.cluster2.example" // in asking/clusterset.yaml
	tlsPort    = 853 + portOffset
	memberZone = "$ORIGIN cluster.local.\n@ 5 IN SOA ns.dns hostmaster 1 7200 1800 86400 5\n" + service
)

// answering starts the answering side, with a zone in the place of an API.
func answering(t *testing.T, c certificates) *server {
	t.Helper()
	p := newPlace(t)
	p.certificates = c
	p.zone = write(t, "db.cluster.local", memberZone)
	return start(t, p, read(t, "dns-over-tls/answering/Corefile"))
}

// Both sides together: a question for a member's name goes to the member's
// CoreDNS over TLS, with a certificate on either side.
func overTLS(t *testing.T, corefile string) {
	c := newCertificates(t, memberName)
	member := answering(t, c)
	p := newPlace(t)
	p.document = document(t, "dns-over-tls/asking/clusterset.yaml", fmt.Sprintf("%s:%d", member.address, tlsPort), c)
	s := start(t, p, corefile)

	wantAnswer(t, s.ask(t, "web.default.cluster2.lan.", dns.TypeA), "web.default.cluster2.lan.\t5\tIN\tA\t10.102.0.80")
	wantAnswer(t, s.ask(t, "www.example.", dns.TypeA), "www.example.\t30\tIN\tA\t192.0.2.1")
}

// The answering side answers those it knows, and nobody else.
func onlyWithCertificate(t *testing.T, _ string) {
	c := newCertificates(t, memberName)
	member := answering(t, c)

	stranger := c.trusting(memberName)
	if reply, err := harness.Ask(encrypted(stranger), fmt.Sprintf("%s:%d", member.address, tlsPort), "web.default.svc.cluster.local.", dns.TypeA); err == nil {
		t.Errorf("no certificate: want none but a TLS error, have\n%v", reply)
	}
	known := c.client(t, memberName)
	wantAnswer(t, member.exchange(t, encrypted(known), tlsPort, "web.default.svc.cluster.local.", dns.TypeA), "web.default.svc.cluster.local.\t5\tIN\tA\t10.102.0.80")
	if reply := member.exchange(t, encrypted(known), tlsPort, "www.example.", dns.TypeA); reply.Rcode != dns.RcodeRefused {
		t.Errorf("another zone: want REFUSED, have\n%v", reply)
	}
}
