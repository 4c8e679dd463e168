package batch

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin/metrics/vars"
	"github.com/coredns/coredns/plugin/pkg/reuseport"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A reply comes from the address that was asked, where the server is bound to none.
func TestAddressKept(t *testing.T) {
	_, port := start(t, ".:PORT {\nbatch\nwhoami\n}\n")
	inBatches(t, ":"+port)
	for _, host := range []string{"127.0.0.1", "127.1.2.3", "::1"} {
		packet := ask(t, net.JoinHostPort(host, port), question("a.example.", dns.TypeA)) // a connected socket takes no other's
		m := new(dns.Msg)
		if err := m.Unpack(packet); err != nil || len(m.Extra) == 0 {
			t.Errorf("%s: %v, %v", host, m, err)
		}
		if got := readOf(port, ""); got == 0 {
			t.Errorf("%s: not read in a batch", host)
		}
	}
}

// readOf returns how many were read in batches at an address.
func readOf(port, host string) int {
	return int(testutil.ToFloat64(packetsCount.WithLabelValues("dns://" + host + ":" + port)))
}

// All of an address's packets come to our socket, however many CoreDNS has there.
func TestSteered(t *testing.T) {
	for name, corefile := range map[string]string{
		"one":            ".:PORT {\nbind 127.0.0.1\nbatch\nwhoami\n}\n",
		"multisocket":    ".:PORT {\nbind 127.0.0.1\nmultisocket 5\nbatch\nwhoami\n}\n",
		"several blocks": "other:PORT {\nbind 127.0.0.1\nwhoami\n}\n.:PORT {\nbind 127.0.0.1\nbatch\nwhoami\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, port := start(t, corefile)
			s := inBatches(t, "127.0.0.1:"+port)
			const queries = 200
			for range queries { // each from a port of its own
				if ask(t, "127.0.0.1:"+port, question("a.example.", dns.TypeA)) == nil {
					t.Fatal("no reply")
				}
			}
			if got := readOf(port, "127.0.0.1"); got < queries {
				t.Errorf("%d of %d packets came to place %d", got, queries, s.steering.place.Load())
			}
		})
	}
}

// A server that ends answers all queries until its plugins have ended (health's lameduck), by
// CoreDNS's own socket at last.
func TestLameduck(t *testing.T) {
	i, err := caddy.Start(input(".:PORT {\nbind 127.0.0.1\nbatch\nwhoami\n}\n", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	address := i.Servers()[0].LocalAddr().String()
	inBatches(t, address)
	asked, end := underLoad(t, address)
	awaitMore(asked)
	for _, err := range i.ShutdownCallbacks() {
		t.Error(err)
	}
	awaitMore(asked)
	end()
	_ = i.Stop()
}

// underLoad has clients ask a server until end is called, which fails the test where a query
// was lost. It counts what they ask.
func underLoad(t *testing.T, address string) (asked *atomic.Int64, end func()) {
	t.Helper()
	asked = new(atomic.Int64)
	stop := make(chan struct{})
	var lost atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				asked.Add(1)
				if ask(t, address, question("a.example.", dns.TypeA)) == nil {
					lost.Add(1)
				}
			}
		})
	}
	return asked, func() {
		t.Helper()
		close(stop)
		clients.Wait()
		if lost.Load() > 0 {
			t.Errorf("%d of %d queries were lost", lost.Load(), asked.Load())
		}
	}
}

// awaitMore waits until some hundred more queries were asked.
func awaitMore(asked *atomic.Int64) {
	for was := asked.Load(); asked.Load() < was+500; {
		time.Sleep(time.Millisecond)
	}
}

// Both ways count the same.
func TestCounts(t *testing.T) {
	_, port := start(t, "(both) {\nprometheus 127.0.0.1:0\nmisbehave\nwhoami\n}\n.:PORT {\nbind 127.0.0.1\nbatch\nimport both\n}\n.:PORT {\nbind 127.0.0.2\nimport both\n}\n")
	inBatches(t, "127.0.0.1:"+port)
	for _, name := range []string{"a.example.", "b.example.", "raw.example.", "panics.example."} {
		for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
			if ask(t, host+":"+port, question(name, dns.TypeA)) == nil {
				t.Errorf("%s: no reply of %s", name, host)
			}
		}
	}
	for _, labels := range [][]string{{".", "", "udp", "1", "A"}, {"dropped", "", "udp", "1", "A"}} {
		with := testutil.ToFloat64(vars.RequestCount.WithLabelValues(append([]string{"dns://127.0.0.1:" + port}, labels...)...))
		without := testutil.ToFloat64(vars.RequestCount.WithLabelValues(append([]string{"dns://127.0.0.2:" + port}, labels...)...))
		if with != without || with == 0 {
			t.Errorf("%v: %v requests, %v without batch", labels, with, without)
		}
	}
}

// Places change when others leave: those of a CoreDNS that ends while this one starts.
func TestOthersLeave(t *testing.T) {
	port := freePort(t)
	var others []net.PacketConn
	for range 3 {
		other, err := reuseport.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, other)
	}
	i, err := caddy.Start(input(".:PORT {\nbind 127.0.0.1\nbatch\nwhoami\n}\n", port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = i.Stop() }()
	defer i.ShutdownCallbacks()
	s := inBatches(t, "127.0.0.1:"+port)
	if int(s.steering.place.Load()) < len(others) {
		t.Errorf("at place %d, behind %d others", s.steering.place.Load(), len(others))
	}
	for _, other := range others {
		other.Close()
	}
	s.steering.look()
	for int(s.steering.place.Load()) >= len(others) || !s.steering.steered.Load() {
		time.Sleep(time.Millisecond)
	}
	before := readOf(port, "127.0.0.1")
	for range 100 {
		ask(t, "127.0.0.1:"+port, question("a.example.", dns.TypeA))
	}
	if got := readOf(port, "127.0.0.1") - before; got < 100 {
		t.Errorf("%d of 100 packets came to place %d", got, s.steering.place.Load())
	}
}

// Where a server can't be read in batches it's read as before.
func TestOldWay(t *testing.T) {
	i, _ := start(t, ".:0 {\nbind 127.0.0.1\nbatch\nwhoami\n}\n")
	address := i.Servers()[0].LocalAddr().String()
	if ask(t, address, question("a.example.", dns.TypeA)) == nil {
		t.Error("no reply")
	}
}

// No query is lost when a Corefile is loaded anew, whatever becomes of batch in it.
func TestReload(t *testing.T) {
	block := func(more string) string { return ".:PORT {\nbind 127.0.0.1\n" + more + "\nwhoami\n}\n" }
	steps := []string{"batch", "batch", "", "batch", "batch\nmultisocket 4", "multisocket 2", "batch\nmultisocket 2", "batch", "batch\nerrors"}
	i, port := start(t, block("batch\nerrors"))
	inBatches(t, "127.0.0.1:"+port)
	asked, end := underLoad(t, "127.0.0.1:"+port)
	var err error
	for _, step := range steps {
		awaitMore(asked)
		if i, err = i.Restart(input(block(step), port)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(step, "batch") {
			inBatches(t, "127.0.0.1:"+port)
			for allRead := false; !allRead; { // the place is looked for after the reload
				before := readOf(port, "127.0.0.1")
				for range 20 {
					ask(t, "127.0.0.1:"+port, question("a.example.", dns.TypeA))
				}
				allRead = readOf(port, "127.0.0.1")-before >= 20
			}
		}
	}
	end()
	for _, err := range i.ShutdownCallbacks() {
		t.Error(err)
	}
	_ = i.Stop()
}
