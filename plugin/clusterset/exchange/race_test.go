package exchange

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// after answers later, other queries meanwhile. A SOA, which is a probe's, is
// answered at once.
func after(delay time.Duration, handler dns.HandlerFunc) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeSOA {
			time.Sleep(delay)
		}
		handler(w, r)
	}
}

// answering answers with rcode and, unless that is NXDOMAIN, one address; the
// probes well.
func answering(rcode int, authoritative bool) dns.HandlerFunc {
	return func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(r)
		if r.Question[0].Qtype != dns.TypeSOA {
			m.Rcode, m.Authoritative = rcode, authoritative
		}
		if rcode == dns.RcodeSuccess {
			rr, _ := dns.NewRR(r.Question[0].Name + " 5 IN A 10.101.0.1")
			m.Answer = []dns.RR{rr}
		}
		_ = w.WriteMsg(m) // the client may be gone
	}
}

func wantCount(t *testing.T, what string, c prometheus.Collector, want float64) {
	t.Helper()
	if got := collected(c); got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// serveTwo starts two upstreams and a client whose first query goes to the first.
func serveTwo(t *testing.T, options Options, first, second dns.HandlerFunc) (c *Client, one, two *clustertest.Server) {
	t.Helper()
	one, two = clustertest.Serve(t, first), clustertest.Serve(t, second)
	c, _ = newTestClient(t, options, one.Addr, two.Addr)
	c.turn.Store(1)
	return c, one, two
}

// TestHedge: the next upstream is asked when one takes longer than usual, and its
// reply is given.
func TestHedge(t *testing.T) {
	good := clustertest.Zone(t, zone)
	var slow atomic.Bool
	late := func(w dns.ResponseWriter, r *dns.Msg) {
		if slow.Load() {
			time.Sleep(time.Second)
		}
		good(w, r)
	}
	tests := []struct {
		name    string
		hedging Hedging
		hedged  bool
	}{
		{"as measured", Hedging{}, true},
		{"after 20ms", Hedging{After: 20 * time.Millisecond}, true},
		{"off", Hedging{Off: true}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slow.Store(false)
			c, _, _ := serveTwo(t, Options{Hedging: tt.hedging}, late, good)
			for range 2*firstRead + 10 { // also earns hedges
				m, err := ask(c, time.Second)
				wantAddress(t, m, err)
			}
			hedgedBefore := collected(c.upstreams[1].metrics.Hedged)
			slow.Store(true)
			c.turn.Store(1)
			start := time.Now()
			m, err := ask(c, time.Second)
			wantAddress(t, m, err)
			if took := time.Since(start); took > 400*time.Millisecond {
				t.Errorf("took %v", took)
			}
			got := collected(c.upstreams[1].metrics.Hedged) - hedgedBefore
			if won := collected(c.upstreams[1].metrics.HedgesWon); (got == 1) != tt.hedged || (won > 0) != tt.hedged {
				t.Errorf("%v hedges, %v of all won; hedged should be %v", got, won, tt.hedged)
			}
		})
	}
}

// TestHedgeOfOne: with one upstream, a hedge goes to it from another port: behind a
// service address, there may be another server.
func TestHedgeOfOne(t *testing.T) {
	var asked atomic.Int64
	good := clustertest.Zone(t, zone)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if asked.Add(1) > 1 {
			good(w, r)
		}
	})
	c, _ := newTestClient(t, Options{Hedging: Hedging{After: 10 * time.Millisecond}}, server.Addr)
	c.hedges.saved.Store(budgetSize)
	start := time.Now()
	m, err := ask(c, 2*time.Second)
	wantAddress(t, m, err)
	if took := time.Since(start); took > unknownPatience/2 {
		t.Errorf("took %v", took)
	}
}

// TestHedgeBudget: a member that is slow because it has too much to do is asked a
// tenth more, not twice as much.
func TestHedgeBudget(t *testing.T) {
	const queries = 100
	slow := after(20*time.Millisecond, clustertest.Zone(t, zone))
	c, one, two := serveTwo(t, Options{Hedging: Hedging{After: time.Millisecond}}, slow, slow)
	for range queries {
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
	}
	if n := one.UDP.Load() + two.UDP.Load(); n > queries+queries/hedgePrice {
		t.Errorf("%d messages for %d queries", n, queries)
	}
}

// TestResendBudget: a member that answers nothing any more, because it has too much
// to do or else, is sent each query once more soon, on average, not three times.
func TestResendBudget(t *testing.T) {
	const queries = 200
	var silent atomic.Bool
	good := answering(dns.RcodeSuccess, true)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if !silent.Load() || r.Question[0].Qtype == dns.TypeSOA { // its probes come through
			good(w, r)
		}
	})
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, server.Addr)
	for range firstRead {
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
	}
	silent.Store(true)
	c.resends.saved.Store(0)
	before := server.UDP.Load()
	var asking sync.WaitGroup
	for i := range queries {
		asking.Go(func() {
			q := question(fmt.Sprintf("web%d.default.svc.cluster.local.", i))
			q.Deadline = time.Now().Add(maxPatience * 9 / 10)
			_, _, err := c.Exchange(context.Background(), q)
			wantReason(t, err, NoReply)
		})
	}
	asking.Wait()
	const probes = 10
	if n := server.UDP.Load() - before; n > 2*queries+probes || n < queries*3/2 {
		t.Errorf("%d messages for %d queries, want twice as many", n, queries)
	}
}

// TestEjection: an upstream that fails queries which the other one answers sits
// out, though its probes succeed, and is asked again later.
func TestEjection(t *testing.T) {
	c, bad, _ := serveTwo(t, Options{}, answering(dns.RcodeServerFailure, true), answering(dns.RcodeSuccess, true))
	ejections := make(chan time.Duration, 10)
	c.options.Ejected = func(_ model.Upstream, d time.Duration, _ error) { ejections <- d }
	asked := func(n int) (ofBad int64) {
		before := c.upstreams[0].metrics.Failed[BadReply]
		was := collected(before)
		for range n {
			m, err := ask(c, time.Second)
			wantAddress(t, m, err)
		}
		return int64(collected(before) - was)
	}
	if n := asked(2 * missesToEject); n != missesToEject {
		t.Errorf("asked %d times, want %d", n, missesToEject)
	}
	first := <-ejections
	wantCount(t, "ejected", c.options.Metrics.Ejected, 1)
	wantCount(t, "up", c.options.Metrics.Up, 2)
	if n := asked(20); n != 0 {
		t.Errorf("asked %d times while ejected", n)
	}
	start := time.Now()
	var second time.Duration
	for second == 0 { // it comes back, and is ejected again, for longer
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
		select {
		case second = <-ejections:
		default:
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("not asked again within 10s of being ejected for %v", first)
		}
	}
	if first < ejectFor*3/4 || first > ejectFor*5/4 || second < ejectFor*3/2 || second > ejectFor*5/2 {
		t.Errorf("ejected for %v and %v", first, second)
	}
	if bad.UDP.Load() == 0 {
		t.Error("never asked")
	}
}

// TestEjectionOfSlow: as is one that is slow beside the other. It takes no hedges.
func TestEjectionOfSlow(t *testing.T) {
	good := clustertest.Zone(t, zone)
	c, _, _ := serveTwo(t, Options{Hedging: Hedging{Off: true}}, after(30*time.Millisecond, good), good)
	for range 2 * firstRead {
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
	}
	for range 3 * readEvery { // until the quick one's median is read again
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
		if collected(c.upstreams[0].metrics.Ejections) > 0 {
			return
		}
	}
	t.Error("not ejected")
}

// TestNobodyEjected: a name that no upstream can answer is no upstream's fault, and
// the last one is never ejected.
func TestNobodyEjected(t *testing.T) {
	tests := []struct {
		name          string
		first, second dns.HandlerFunc
		rcode         int
	}{
		{"both fail", answering(dns.RcodeServerFailure, true), answering(dns.RcodeServerFailure, true), dns.RcodeServerFailure},
		{"an honest NXDOMAIN", answering(dns.RcodeNameError, true), answering(dns.RcodeSuccess, true), dns.RcodeSuccess},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _, _ := serveTwo(t, Options{}, tt.first, tt.second)
			for range 4 * missesToEject {
				_, _ = ask(c, time.Second)
			}
			wantCount(t, "ejected", c.options.Metrics.Ejected, 0)
			wantCount(t, "down", c.options.Metrics.Down, 0)
		})
	}
	silent, good := clustertest.Serve(t, clustertest.Silence), clustertest.Zone(t, zone)
	server := clustertest.Serve(t, good)
	c, told := newTestClient(t, Options{}, silent.Addr, server.Addr)
	_, _ = ask(c, time.Second)
	_, _ = ask(c, time.Second)
	told.wait(t, silent.Addr.String()+" down")
	c.upstreams[1].eject(time.Now(), errMisses)
	wantCount(t, "the last one ejected", c.options.Metrics.Ejected, 0)
}

// TestNegative: a negative reply that isn't authoritative waits for a positive one
// that may still come; an authoritative one is the member's word.
func TestNegative(t *testing.T) {
	tests := []struct {
		name    string
		aa      bool
		second  dns.HandlerFunc
		rcode   int
		atLeast time.Duration
	}{
		{"authoritative", true, after(60*time.Millisecond, answering(dns.RcodeSuccess, true)), dns.RcodeNameError, 0},
		{"not, and a positive one comes", false, after(60*time.Millisecond, answering(dns.RcodeSuccess, true)), dns.RcodeSuccess, 60 * time.Millisecond},
		{"not, and another negative one comes", false, after(60*time.Millisecond, answering(dns.RcodeNameError, false)), dns.RcodeNameError, 60 * time.Millisecond},
		{"not, and nothing comes", false, clustertest.Silence, dns.RcodeNameError, unknownPatience - 30*time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _, _ := serveTwo(t, Options{Hedging: Hedging{After: time.Millisecond}}, after(30*time.Millisecond, answering(dns.RcodeNameError, tt.aa)), tt.second)
			c.hedges.saved.Store(budgetSize)
			start := time.Now()
			m, err := ask(c, 2*time.Second)
			took := time.Since(start)
			if err != nil || m.Rcode != tt.rcode {
				t.Fatalf("%v, %v; want %s", m, err, dns.RcodeToString[tt.rcode])
			}
			if took < tt.atLeast || took > time.Second {
				t.Errorf("took %v, want %v at least", took, tt.atLeast)
			}
		})
	}
}

// TestLoss: three packets of ten lost each way cost time, not answers.
func TestLoss(t *testing.T) {
	good := answering(dns.RcodeSuccess, true)
	var lossy atomic.Bool
	lost := func() bool { return lossy.Load() && rand.N(10) < 3 }
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if there, back := lost(), lost(); !there && !back {
			good(w, r)
		}
	})
	c, _ := newTestClient(t, Options{}, server.Addr)
	for range firstRead { // so that what replies take is known
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
	}
	lossy.Store(true)
	const queries, clients = 200, 20
	var asking sync.WaitGroup
	var next, failed atomic.Int64
	for range clients {
		asking.Go(func() {
			for i := next.Add(1); i <= queries; i = next.Add(1) {
				q := question(fmt.Sprintf("web%d.default.svc.cluster.local.", i)) // equal ones would be asked once
				q.Deadline = time.Now().Add(2 * time.Second)
				if _, _, err := c.Exchange(context.Background(), q); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	asking.Wait()
	if n := failed.Load(); n > queries/20 { // by chance, one in a hundred
		t.Errorf("%d of %d failed", n, queries)
	}
}

// TestLostProbes: an upstream that answers queries is not down, whatever becomes of its
// probes.
func TestLostProbes(t *testing.T) {
	var probes atomic.Int64
	good := answering(dns.RcodeSuccess, true)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype == dns.TypeSOA {
			probes.Add(1)
			return
		}
		good(w, r)
	})
	c, told := newTestClient(t, Options{}, server.Addr)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for probes.Load() <= probesToDown {
		c.upstreams[0].suspect()
		m, err := ask(c, time.Second)
		wantAddress(t, m, err)
		<-tick.C
	}
	select {
	case change := <-told:
		t.Errorf("taken for down: %v", change)
	default:
	}
}

// TestSilentUpstream: of two upstreams, one says nothing: no query is lost, and
// each is answered as soon as patience with it is over.
func TestSilentUpstream(t *testing.T) {
	c, one, _ := serveTwo(t, Options{}, clustertest.Silence, clustertest.Zone(t, zone))
	for range 20 {
		start := time.Now()
		m, err := ask(c, 2*time.Second)
		wantAddress(t, m, err)
		if took := time.Since(start); took > unknownPatience+200*time.Millisecond {
			t.Errorf("took %v", took)
		}
	}
	if one.UDP.Load() == 0 {
		t.Error("never asked")
	}
}

// TestLastHope: a member whose servers restart one after the other is answered all
// along, though the one that is back is still held for down when the next one goes.
func TestLastHope(t *testing.T) {
	good := clustertest.Zone(t, zone)
	servers := []*clustertest.Server{clustertest.Serve(t, good), clustertest.Serve(t, good)}
	c, _ := newTestClient(t, Options{}, servers[0].Addr, servers[1].Addr)
	answered := func() {
		t.Helper()
		m, err := ask(c, 2*time.Second)
		wantAddress(t, m, err)
	}
	answered()
	for i := range 6 {
		gone := servers[i%2]
		gone.Stop()
		for range 4 { // both have their turn
			answered()
		}
		waitFor(t, func() bool {
			return c.upstreams[i%2].health.down.Load() && !c.upstreams[(i+1)%2].health.down.Load()
		})
		servers[i%2] = clustertest.ServeAt(t, gone.Addr, good)
	}
}

// TestNoHope: where nothing was answered since the upstreams were last probed, they
// aren't asked.
func TestNoHope(t *testing.T) {
	servers := []*clustertest.Server{clustertest.Serve(t, clustertest.Zone(t, zone)), clustertest.Serve(t, clustertest.Zone(t, zone))}
	c, told := newTestClient(t, Options{}, servers[0].Addr, servers[1].Addr)
	m, err := ask(c, time.Second)
	wantAddress(t, m, err)
	for _, s := range servers {
		s.Stop()
	}
	for range 2 {
		_, _ = ask(c, time.Second)
	}
	<-told
	<-told
	waitFor(t, func() bool {
		at := c.answered()
		return !c.upstreams[0].downSince(at) && !c.upstreams[1].downSince(at)
	})
	_, err = ask(c, time.Second)
	wantReason(t, err, Down)
}

// TestAllDownAtOnce: where every upstream refuses, nothing is waited for.
func TestAllDownAtOnce(t *testing.T) {
	var addrs []netip.AddrPort
	for range 3 {
		s := clustertest.Serve(t, clustertest.Silence)
		s.Stop()
		addrs = append(addrs, s.Addr)
	}
	c, _ := newTestClient(t, Options{}, addrs...)
	start := time.Now()
	_, err := ask(c, 2*time.Second)
	wantReason(t, err, Network)
	if took := time.Since(start); took > 200*time.Millisecond {
		t.Errorf("took %v", took)
	}
}
