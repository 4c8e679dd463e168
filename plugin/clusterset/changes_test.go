package clusterset

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
)

// changeBound is how soon a changed document must be seen in answers, on a busy machine:
// before the file is looked at without an event.
const changeBound = 8 * time.Second

// fixed answers every A question with one address.
func fixed(address string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(r)
		m.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5},
			A:   net.ParseIP(address),
		}}
		_ = w.WriteMsg(m)
	}
}

func addressOf(m *dns.Msg) string {
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0 {
		return dns.RcodeToString[m.Rcode]
	}
	return m.Answer[0].(*dns.A).A.String()
}

// TestChanges: a member added, changed, removed, and a document broken and
// mended, while another member's names are asked without one lost or wrong reply.
func TestChanges(t *testing.T) {
	one, two := clustertest.Serve(t, fixed("10.101.0.1")), clustertest.Serve(t, fixed("10.101.0.2"))
	stays := clusterAt("stays", one.Addr.String(), "")
	path := document(t, stays)
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+path+"\n}\n}")
	stop := askAllTheTime(t, s.addr, "web.default.stays.lan.", "10.101.0.1")
	steps := []struct{ name, document, want string }{
		{"added", stays + clusterAt("c1", one.Addr.String(), ""), "10.101.0.1"},
		{"changed", stays + clusterAt("c1", two.Addr.String(), ""), "10.101.0.2"},
		{"broken", "- nonsense", "10.101.0.2"},
		{"removed", stays, "NXDOMAIN"},
		{"added again", stays + clusterAt("c1", one.Addr.String(), ""), "10.101.0.1"},
	}
	for _, step := range steps {
		writeDocument(t, path, step.document)
		eventually(t, changeBound, step.name, func() bool {
			return addressOf(lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)) == step.want
		})
	}
	stop()
}

// askAllTheTime asks for a name until stop, and fails the test for each reply
// that is lost or wrong.
func askAllTheTime(t *testing.T, addr, name, want string) (stop func()) {
	t.Helper()
	var ended atomic.Bool
	var asked sync.WaitGroup
	queries := 0
	asked.Go(func() {
		client := &dns.Client{Timeout: inTime}
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeA)
		m.SetEdns0(1232, false) // for the explanation
		for ; !ended.Load(); queries++ {
			reply, _, err := client.Exchange(m, addr)
			if err != nil || addressOf(reply) != want {
				t.Errorf("query %d: %v, %v", queries, reply, err)
				return
			}
		}
	})
	return func() {
		ended.Store(true)
		asked.Wait()
		t.Logf("%d queries", queries)
	}
}

// TestNothingLeft: after a hundred changes of the ClusterSet, each with members
// that were asked over UDP and TCP, there are as many goroutines, sockets and
// metric series as before.
func TestNothingLeft(t *testing.T) {
	member := clustertest.Serve(t, fixed("10.101.0.1"))
	path := document(t, clusterAt("stays", member.Addr.String(), ""))
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+path+"\n}\n}")
	lookup(t, s.addr, "udp", "web.default.stays.lan.", dns.TypeA)
	goroutines, sockets := runtime.NumGoroutine(), openFiles(t)
	for i := range 100 {
		name := fmt.Sprintf("n%d", i)
		writeDocument(t, path, clusterAt("stays", member.Addr.String(), "")+clusterAt(name, member.Addr.String(), ""))
		eventually(t, changeBound, name, func() bool {
			return addressOf(lookup(t, s.addr, "udp", "web.default."+name+".lan.", dns.TypeA)) == "10.101.0.1"
		})
		lookup(t, s.addr, "tcp", "web.default."+name+".lan.", dns.TypeA)
	}
	writeDocument(t, path, clusterAt("stays", member.Addr.String(), ""))
	eventually(t, members.DrainTime+inTime, "nothing left of the members that were", func() bool {
		return runtime.NumGoroutine() <= goroutines+2 && openFiles(t) <= sockets+2 && !hasSeries(t, "n99") && !hasSeries(t, "n0")
	})
	if !hasSeries(t, "stays") {
		t.Error("the member that stays has no series")
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(files)
}

func hasSeries(t *testing.T, cluster string) bool {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "cluster" && label.GetValue() == cluster {
					return true
				}
			}
		}
	}
	return false
}

// TestReload: a Corefile reload loses no query and leaves nothing of the old
// instance; and it keeps the last good ClusterSet, whatever the file says now.
func TestReload(t *testing.T) {
	member := clustertest.Serve(t, fixed("10.101.0.1"))
	path := document(t, clusterAt("c1", member.Addr.String(), ""))
	number := 0
	next := func() string {
		number++
		return ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile " + path + "\n}\n}\n" +
			fmt.Sprintf("instance%d.test:PORT {\nbind 127.77.0.1\nwhoami\n}\n", number)
	}
	s := startCoreDNS(t, next())
	reload := func() {
		t.Helper()
		s.awaitStarted(t, fmt.Sprintf("instance%d.test.", number))
		s.reload(t, next())
	}
	stop := askAllTheTime(t, s.addr, "web.default.c1.lan.", "10.101.0.1")
	reload()
	goroutines := settled()
	for range 10 {
		reload()
	}
	stop()
	eventually(t, members.DrainTime+inTime, "nothing left of the old instances", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload()
	if got := addressOf(lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)); got != "10.101.0.1" {
		t.Errorf("after a reload with a broken file: %s", got)
	}
}

// awaitStarted waits until an instance that alone has this name answers, over UDP
// and TCP. CoreDNS doesn't end a server that it stops before that has started: such
// a one would go on without its plugins.
func (s *coreDNS) awaitStarted(t *testing.T, name string) {
	t.Helper()
	for _, network := range []string{"udp", "tcp"} {
		eventually(t, changeBound, name+" over "+network, func() bool {
			return lookup(t, s.addr, network, name, dns.TypeA).Rcode == dns.RcodeSuccess
		})
	}
}

// settled is the number of goroutines once it stays the same.
func settled() int {
	last := 0
	for last != runtime.NumGoroutine() {
		last = runtime.NumGoroutine()
		time.Sleep(time.Second) // longer than what ends by itself
	}
	return last
}

// TestConfigMapVolume: a ConfigMap mounted as a volume is changed by a swap of
// the link "..data".
func TestConfigMapVolume(t *testing.T) {
	one, two := clustertest.Serve(t, fixed("10.101.0.1")), clustertest.Serve(t, fixed("10.101.0.2"))
	dir := t.TempDir()
	swap := func(version, clusters string) {
		t.Helper()
		if err := os.Mkdir(dir+"/"+version, 0o700); err != nil {
			t.Fatal(err)
		}
		writeDocument(t, dir+"/"+version+"/clusterset.yaml", clusters)
		for _, err := range []error{os.Symlink(version, dir+"/..tmp"), os.Rename(dir+"/..tmp", dir+"/..data")} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	swap("..1", clusterAt("c1", one.Addr.String(), ""))
	if err := os.Symlink("..data/clusterset.yaml", dir+"/clusterset.yaml"); err != nil {
		t.Fatal(err)
	}
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+dir+"/clusterset.yaml\n}\n}")
	if got := addressOf(lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)); got != "10.101.0.1" {
		t.Fatal(got)
	}
	swap("..2", clusterAt("c1", two.Addr.String(), ""))
	eventually(t, changeBound, "the swapped document", func() bool {
		return addressOf(lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)) == "10.101.0.2"
	})
}

// TestTwoBlocks: two server blocks share the file's feed, and each answers.
func TestTwoBlocks(t *testing.T) {
	member := clustertest.Serve(t, fixed("10.101.0.1"))
	path := document(t, clusterAt("c1", member.Addr.String(), ""))
	s := startCoreDNS(t, "lan:PORT {\nbind 127.77.0.1\nclusterset {\nfile "+path+"\n}\n}\nset:PORT {\nbind 127.77.0.1\nclusterset {\nfile "+path+"\n}\n}")
	for _, zone := range []string{"lan.", "set."} {
		if got := addressOf(lookup(t, s.addr, "udp", "web.default.c1."+zone, dns.TypeA)); got != "10.101.0.1" {
			t.Errorf("%s: %s", zone, got)
		}
	}
}
