//go:build e2e && linux

package netns

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// startTimeout bounds the wait for a server, which takes about 0.3 s where the machine has
// nothing else to do.
const startTimeout = time.Minute

// metricsAddress is each CoreDNS's, on the loopback of its own namespace.
const metricsAddress = "127.0.0.1:9153"

// coredns is a DNS server in a cluster, which is at times not running.
type coredns struct {
	*harness.Process
	c       *cluster
	address string // port 53 of it
}

// startDNS starts CoreDNS in every cluster and waits until all of them answer.
func (n *network) startDNS(t testing.TB) {
	t.Helper()
	for _, c := range n.clusters {
		c.dns = c.newDNS(t, c.dnsAddress(), metricsAddress)
	}
	for _, c := range n.clusters {
		c.dns.await(t)
	}
}

// newDNS starts a server and doesn't wait for it.
func (c *cluster) newDNS(t testing.TB, address, metrics string) *coredns {
	t.Helper()
	return &coredns{harness.StartCoreDNSInside(t, c.ns.exec(), c.name, c.config(address, metrics)), c, address}
}

// await returns when the server answers for the cluster zone.
func (s *coredns) await(t testing.TB) {
	t.Helper()
	harness.Eventually(t, startTimeout, s.c.name+" answers at "+s.address, func() error {
		s.Running()
		return s.c.knows("lan.", s.address)
	})
}

// knows returns an error where the server doesn't answer for a zone.
func (c *cluster) knows(zone, server string) error {
	r, err := c.askAt(server, question{name: zone, qtype: dns.TypeSOA, timeout: time.Second})
	if err == nil && r.Rcode != dns.RcodeSuccess {
		return fmt.Errorf("%s: %s", zone, dns.RcodeToString[r.Rcode])
	}
	return err
}

// restart starts a server that has ended, and waits until it answers.
func (s *coredns) restart(t testing.TB) {
	t.Helper()
	s.Start()
	s.await(t)
}

// kill ends a process, if it hasn't ended yet.
func kill(command *exec.Cmd) {
	_ = command.Process.Kill()
	_ = command.Wait()
}
