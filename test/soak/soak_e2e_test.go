//go:build e2e

// Package soak has a server answer for as long as SOAK says, while its Corefile is loaded anew
// and its members change: no answer is wrong, none is lost, and it doesn't grow.
package soak

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	names = 500

	// load is the part of what the server can do that it's asked for.
	load = 0.6

	memberIP, serverIP = "127.0.8.1", "127.0.8.2"
)

// TestSoak runs for half a minute, or as long as SOAK says: "1h".
func TestSoak(t *testing.T) {
	lasts := 30 * time.Second
	if set, err := time.ParseDuration(os.Getenv("SOAK")); err == nil {
		lasts = set
	}
	member := harness.StartMemberDNS(t, "member", memberIP, "file zone", map[string]string{"zone": zone()}, "cluster.local")
	member.AwaitDNS(dns.Client{}, member.Addr, harness.MemberName)
	server := harness.StartServer(t, "server", serverIP, corefile(0), map[string]string{"clusterset.yaml": document(member.Addr, 0)})
	harness.Eventually(t, 10*time.Second, "an answer", func() error {
		reply, err := server.Ask("udp", questionName(1, 1))
		if err == nil && len(reply.Answer) == 0 {
			err = fmt.Errorf("%s", reply)
		}
		return err
	})

	c := &clients{server: server.Addr, perSecond: 1e6}
	most := c.run(t, 3*time.Second)
	c.perSecond = int(load * float64(most) / 3)
	t.Logf("%d queries a second, of %d", c.perSecond, most/3)

	changes := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		change(server, member.Addr, changes)
	}()
	third := c.run(t, lasts/3)
	server.Running()
	before := grown(server)
	asked := third + c.run(t, lasts-lasts/3)
	close(changes)
	<-ended
	after := grown(server)
	t.Logf("%d queries, %d wrong, %d lost; %s after a third, %s at the end", asked, c.wrong.Load(), c.lost.Load(), before, after)
	if c.wrong.Load()+c.lost.Load() > 0 {
		t.Errorf("%d answers were wrong, %d were lost", c.wrong.Load(), c.lost.Load())
	}
	if after.memory > before.memory*1.25+16 || after.goroutines > before.goroutines+30 {
		t.Errorf("it has grown: from %s to %s", before, after)
	}
}

// zone has an address for each name.
func zone() string {
	var b strings.Builder
	b.WriteString("$ORIGIN cluster.local.\n@ 5 IN SOA ns.dns hostmaster 1 7200 1800 86400 5\n@ 5 IN NS ns.dns\nwho.default.svc 5 IN A 10.101.1.1\n")
	for i := range names {
		fmt.Fprintf(&b, "web%d.default.svc 5 IN A %s\n", i, address(i))
	}
	return b.String()
}

func address(i int) string { return fmt.Sprintf("10.101.%d.%d", 2+i/200, 1+i%200) }

// questionName is a name of one of the two members that are always there.
func questionName(member, i int) string {
	return fmt.Sprintf("web%d.default.svc.c%d.lan.", i, member)
}

func corefile(n int) string {
	return fmt.Sprintf("batch\n clusterset lan {\n file clusterset.yaml\n cache %d\n }\n", 1000+n%2*1000)
}

// document has a third member every other time.
func document(dnsAddress string, n int) string {
	var b strings.Builder
	b.WriteString("apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n")
	for i := 1; i <= 2+n%2; i++ {
		fmt.Fprintf(&b, "- {name: c%d, network: n%d, serviceCIDRs: [10.101.0.0/16], dns: [%q], reach: [services]}\n", i, i, dnsAddress)
	}
	return b.String()
}

// change loads the Corefile anew and changes the members, again and again.
func change(server *harness.Server, dnsAddress string, end <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		server.Write("clusterset.yaml", document(dnsAddress, n))
		if n%3 == 0 {
			server.Write("Corefile", strings.Replace(server.Read("Corefile"), fmt.Sprintf("cache %d", 1000+(n+1)%2*1000), fmt.Sprintf("cache %d", 1000+n%2*1000), 1))
			server.Reload()
		}
	}
}

// size is how large a server is.
type size struct{ memory, goroutines float64 }

func (s size) String() string {
	return fmt.Sprintf("%.0f MiB and %.0f goroutines", s.memory, s.goroutines)
}

func grown(server *harness.Server) size {
	return size{server.Metric("process_resident_memory_bytes") / (1 << 20), server.Metric("go_goroutines")}
}

// clients ask a server at a rate.
type clients struct {
	server      string
	perSecond   int
	wrong, lost atomic.Int64
}

// run asks for as long as that, and returns how many queries were.
func (c *clients) run(t *testing.T, lasts time.Duration) int {
	t.Helper()
	const sockets = 8
	var asked atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(lasts)
	for i := range sockets {
		all.Go(func() {
			conn, err := net.Dial("udp", c.server)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			random := rand.New(rand.NewPCG(uint64(i), 8))
			begin := time.Now()
			for n := 0; time.Now().Before(end); n++ {
				due := begin.Add(time.Duration(n) * time.Second * sockets / time.Duration(c.perSecond))
				if wait := time.Until(due); wait > time.Millisecond {
					time.Sleep(wait)
				}
				c.ask(conn, uint16(n), 1+random.IntN(2), random.IntN(names))
				asked.Add(1)
			}
		})
	}
	all.Wait()
	return int(asked.Load())
}

// ask asks for one name. A reply that comes after five seconds is lost.
func (c *clients) ask(conn net.Conn, id uint16, member, i int) {
	m := new(dns.Msg).SetQuestion(questionName(member, i), dns.TypeA)
	m.Id = id
	query, _ := m.Pack()
	if _, err := conn.Write(query); err != nil {
		c.lost.Add(1)
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var b [512]byte
	for {
		n, err := conn.Read(b[:])
		switch {
		case err != nil:
			c.lost.Add(1)
			return
		case n < 12 || binary.BigEndian.Uint16(b[:]) != id:
			continue // of a query that was given up
		}
		reply := new(dns.Msg)
		a, ok := (*dns.A)(nil), false
		if reply.Unpack(b[:n]) == nil && len(reply.Answer) == 1 {
			a, ok = reply.Answer[0].(*dns.A)
		}
		if !ok || a.A.String() != address(i) {
			c.wrong.Add(1)
		}
		return
	}
}
