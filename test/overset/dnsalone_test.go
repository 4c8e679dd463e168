//go:build e2e

package overset

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// gone bounds the time until no answer names what has died, and until what is back is named.
const gone = 10 * time.Second

// prompt bounds a reply that waits for no dead member: the plugin waits 100 ms for others once
// one has answered, and this machine is busy.
const prompt = time.Second

// dnsAlone: three clusters of which only the addresses of their DNS are known.
func dnsAlone(s *story) {
	members, servers := s.members()
	east, west, north := members[0].address(1), members[1].address(1), members[2].address(1)
	v := s.start("east", "affinity none", document(nil, members...))
	v.await(s.name("web"), both(east, west, north))
	v.await(s.name("part"), both(members[0].address(2), members[2].address(2))) // west says NXDOMAIN
	v.await(s.name("none"), missing)

	servers[2].Kill()
	slowest := v.awaitPromptly(s.name("web"), both(east, west))
	v.await(s.name("none"), unreachable) // north may have it
	servers[2].Start()
	v.awaitPromptly(s.name("web"), both(east, west, north))
	v.awaitWithin(gone, dns.TypeA, s.name("none"), missing)

	servers[2].Freeze()
	slowest = max(slowest, v.awaitPromptly(s.name("web"), both(east, west)))
	servers[2].Thaw()
	slowest = max(slowest, v.awaitPromptly(s.name("web"), both(east, west, north)))

	// A slow one is left out where it isn't in the cache.
	slow := members[2]
	slow.dns = s.delayed(slow.dns)
	v.set(document(nil, members[0], members[1], slow))
	slowest = max(slowest, v.awaitPromptly(s.name("slow"), both(members[0].address(3), members[1].address(3))))
	s.Logf("the slowest reply took %v", slowest)

	v.set(document(nil, members...))
	servers[0].Kill()
	servers[1].Kill()
	v.awaitWithin(gone, dns.TypeA, s.name("web"), north)
}

// awaitPromptly waits for a reply, and returns how long the slowest on the way took, which may
// be no longer than prompt.
func (v *server) awaitPromptly(name, want string) (slowest time.Duration) {
	v.s.Helper()
	harness.Eventually(v.s.T, gone, name, func() error {
		start := time.Now()
		err := v.answers(dns.TypeA, name, want)
		took := time.Since(start)
		if slowest = max(slowest, took); took > prompt {
			v.s.Errorf("%s: answered after %v: %v", name, took, err)
		}
		return err
	})
	return slowest
}

// address is one of a member with DNS alone.
func (m *member) address(i int) string { return fmt.Sprintf("10.%d.9.%d", 100+m.n, i) }

// members starts three members' DNS: all have "web" and "slow", and all but west "part".
func (s *story) members() (all []member, servers []*harness.MemberDNS) {
	s.Helper()
	for n, name := range []string{"east", "west", "north"} {
		m := member{name: name, n: n + 1}
		var zone strings.Builder
		zone.WriteString("@ 1 IN SOA ns.dns hostmaster 1 7200 1800 86400 1\n@ 1 IN NS ns.dns\n")
		for i, service := range []string{"web", "part", "slow"} {
			if service != "part" || name != "west" {
				fmt.Fprintf(&zone, "%s.%s.svc 1 IN A %s\n", service, s.namespace, m.address(i+1))
			}
		}
		server := harness.StartMemberDNS(s.T, name+"'s DNS", ip, "file zone cluster.local", map[string]string{"zone": zone.String()}, "cluster.local")
		server.AwaitDNS(dns.Client{}, server.Addr, "web."+s.namespace+".svc.cluster.local.")
		m.dns = server.Addr
		all, servers = append(all, m), append(servers, server)
	}
	return all, servers
}

// delayed returns the address of a DNS server whose replies come 1.5 seconds late.
func (s *story) delayed(server string) string {
	s.Helper()
	relay := &harness.Relay{
		Addr: harness.FreeAddr(s.T, ip).String(), Server: server,
		Packet: func(to harness.Peer, reply []byte) { time.AfterFunc(1500*time.Millisecond, func() { to.Send(reply) }) },
	}
	s.must(relay.Start())
	s.Cleanup(relay.Stop)
	return relay.Addr
}

// silent returns the address of a DNS server that answers nobody.
func (s *story) silent() string {
	s.Helper()
	at := harness.FreeAddr(s.T, ip).String()
	packets, err := net.ListenPacket("udp", at)
	s.must(err)
	s.Cleanup(func() { packets.Close() })
	return at
}
