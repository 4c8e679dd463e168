//go:build e2e

package overset

import (
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// gatewayDies: a gateway that is probed leaves the answers when it dies, though its cluster's
// data say nothing of that (linkerd-failover#63), and comes back by itself.
func gatewayDies(s *story) {
	east := s.exported(s.east, s.west)[0]
	const gateway = "198.51.100.2"
	at := harness.FreeAddr(s.T, ip).String()
	listener, err := net.Listen("tcp", at)
	s.must(err)
	v := s.start("east", "affinity remote", document(nil, s.east.as("network: net-1"), s.west.as("network: net-2", "gateways: ["+gateway+"]", "probe: tcp://"+at)))
	v.await(s.name("web"), gateway)
	s.must(listener.Close())
	v.awaitWithin(gone, dns.TypeA, s.name("web"), east)
	listener, err = net.Listen("tcp", at)
	s.must(err)
	defer listener.Close()
	v.awaitWithin(gone, dns.TypeA, s.name("web"), gateway)
}

// memberDies: a member's API and DNS die together. No answer over the ClusterSet names it any
// more; its own names are answered as long as serve_stale allows.
func memberDies(s *story) {
	ips := s.exported(s.east, s.west)
	relay, kubeconfig := harness.StartRelay(s.T, s.west.up, s.west.name)
	path := filepath.Join(s.TempDir(), "kubeconfig")
	harness.WriteFile(s.T, path, kubeconfig)
	server := harness.StartMemberDNS(s.T, "west's DNS", ip, "kubernetes cluster.local {\n kubeconfig "+s.west.up.Kubeconfig("west")+"\n}", nil, "cluster.local")
	server.AwaitDNS(dns.Client{}, server.Addr, fmt.Sprintf("web.%s.svc.cluster.local.", s.namespace))
	west := s.west.as().at(path)
	west.dns = server.Addr
	v := s.start("east", "affinity remote", document(nil, s.east.as(), west, s.north.as()))
	v.await(s.name("web"), ips[1])

	own := fmt.Sprintf("web.%s.west.lan.", s.namespace)
	for _, outage := range []struct {
		name       string
		begin, end func()
	}{
		{"it refuses", func() { relay.Stop(); server.Kill() }, func() { server.Start(); relay.Reopen(s.T) }},
		{"it is silent", func() { relay.Silence(); server.Freeze() }, func() { server.Thaw(); relay.Resume() }},
	} {
		began := time.Now()
		outage.begin()
		v.awaitPromptly(s.name("web"), ips[0])
		s.Logf("%s: no answer names it after %v", outage.name, time.Since(began))
		v.awaitWithin(timeout, dns.TypeA, own, "EDE3 "+ips[1])
		// With nobody else, what was known is better than nothing.
		s.unexport(s.east, "web")
		v.awaitWithin(timeout, dns.TypeA, s.name("web"), "EDE3 "+ips[1])
		s.export(s.east, "web")
		v.await(s.name("web"), ips[0])
		outage.end()
		v.awaitWithin(gone, dns.TypeA, s.name("web"), ips[1])
	}
}
