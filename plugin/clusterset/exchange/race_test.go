package exchange

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
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
			clustertest.Tries(t, func() error {
				slow.Store(false)
				c, _, _ := serveTwo(t, Options{Hedging: tt.hedging}, late, good)
				for range 2*firstRead + 10 {
					m, err := ask(c, plenty)
					wantAddress(t, m, err)
				}
				c.hedges.saved.Store(budgetSize)
				hedged, won := c.upstreams[1].metrics.Hedged, c.upstreams[1].metrics.HedgesWon
				hedgedBefore, wonBefore := collected(hedged), collected(won)
				slow.Store(true)
				c.turn.Store(1)
				start := time.Now()
				m, err := ask(c, plenty)
				wantAddress(t, m, err)
				took := time.Since(start)
				gotHedged, gotWon := collected(hedged)-hedgedBefore == 1, collected(won)-wonBefore == 1
				if gotHedged != tt.hedged || gotWon != tt.hedged || took > 400*time.Millisecond {
					return fmt.Errorf("hedged %v, won %v, took %v; hedged should be %v", gotHedged, gotWon, took, tt.hedged)
				}
				return nil
			})
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
	clustertest.Within(t, unknownRTO/2, func() {
		c, _ := newTestClient(t, Options{Hedging: Hedging{After: 10 * time.Millisecond}}, server.Addr)
		c.hedges.saved.Store(budgetSize)
		asked.Store(0)
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
	})
}

// TestHedgeBudget: a member that is slow because it has too much to do is asked a
// tenth more, not twice as much.
func TestHedgeBudget(t *testing.T) {
	const queries = 100
	slow := after(20*time.Millisecond, clustertest.Zone(t, zone))
	c, _, _ := serveTwo(t, Options{Hedging: Hedging{After: time.Millisecond}}, slow, slow)
	for range queries {
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
	}
	// Not of all messages: a busy machine has queries sent again, and probes.
	if n := collected(c.upstreams[0].metrics.Hedged) + collected(c.upstreams[1].metrics.Hedged); n > queries/hedgePrice || n == 0 {
		t.Errorf("%v hedges of %d queries", n, queries)
	}
}

// TestRetransmitBudget: a member that answers nothing any more, because it has too much
// to do or else, is sent each query once more soon, on average, not three times.
func TestRetransmitBudget(t *testing.T) {
	const queries = 200
	var silent atomic.Bool
	var messages atomic.Int64
	good := answering(dns.RcodeSuccess, true)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		switch {
		case r.Question[0].Qtype == dns.TypeSOA: // its probes come through
		case silent.Load():
			messages.Add(1)
			return
		}
		good(w, r)
	})
	clustertest.Tries(t, func() error {
		silent.Store(false)
		c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, server.Addr)
		for range firstRead {
			m, err := ask(c, plenty)
			wantAddress(t, m, err)
		}
		silent.Store(true)
		messages.Store(0)
		c.retransmits.saved.Store(0)
		var asking sync.WaitGroup
		for i := range queries {
			asking.Go(func() {
				q := question(fmt.Sprintf("web%d.default.svc.cluster.local.", i))
				q.Deadline = time.Now().Add(maxRTO * 9 / 10)
				_, _, err := c.Exchange(context.Background(), q)
				wantReason(t, err, NoReply)
			})
		}
		asking.Wait()
		if n := messages.Load(); n > 2*queries || n < queries*3/2 {
			return fmt.Errorf("%d messages for %d queries, want twice as many", n, queries)
		}
		return nil
	})
}

// TestEjection: an upstream that fails queries which the other one answers sits
// out, though its probes succeed, and is asked again later.
func TestEjection(t *testing.T) {
	clustertest.Tries(t, func() error { return tryEjection(t) })
}

func tryEjection(t *testing.T) error {
	t.Helper()
	c, _, _ := serveTwo(t, Options{Hedging: Hedging{Off: true}}, answering(dns.RcodeServerFailure, true), answering(dns.RcodeSuccess, true))
	ejections := make(chan time.Duration, 10)
	c.options.Ejected = func(_ model.Upstream, d time.Duration, _ error) { ejections <- d }
	asked := func(n int) (ofBad int64) {
		before := c.upstreams[0].metrics.Failed[BadReply]
		was := collected(before)
		for range n {
			m, err := ask(c, plenty)
			wantAddress(t, m, err)
		}
		return int64(collected(before) - was)
	}
	if n := asked(2 * missesToEject); n != missesToEject {
		return fmt.Errorf("asked %d times, want %d", n, missesToEject)
	}
	first := <-ejections
	n := asked(20)
	if ejected := inState(c, status.Ejected); n != 0 || ejected != 1 {
		return fmt.Errorf("asked %d times while ejected, %v ejected", n, ejected)
	}
	second := againEjected(t, c, ejections)
	if first < ejectFor*3/4 || first > ejectFor*5/4 || second < ejectFor*3/2 || second > ejectFor*5/2 {
		t.Errorf("ejected for %v and %v", first, second)
	}
	return nil
}

// againEjected asks until the upstream has come back, and is ejected again, for longer.
func againEjected(t *testing.T, c *Client, ejections <-chan time.Duration) time.Duration {
	t.Helper()
	var again time.Duration
	clustertest.WaitFor(t, func() bool {
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
		select {
		case again = <-ejections:
		default:
		}
		return again != 0
	})
	return again
}

// TestEjectionOfSlow: as is one that is slow beside the other. It takes no hedges.
func TestEjectionOfSlow(t *testing.T) {
	good := clustertest.Zone(t, zone)
	slow, quick := clustertest.Serve(t, after(30*time.Millisecond, good)), clustertest.Serve(t, good)
	clustertest.Tries(t, func() error {
		c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, slow.Addr, quick.Addr)
		for range 2*firstRead + 3*readEvery { // until the quick one's median is read again
			m, err := ask(c, plenty)
			wantAddress(t, m, err)
			if collected(c.upstreams[0].metrics.Ejections) > 0 {
				return nil
			}
		}
		return errors.New("not ejected")
	})
}

// inState returns how many of the client's upstreams are in that state.
func inState(c *Client, state status.UpstreamState) (n int) {
	for _, u := range c.Status().Upstreams {
		if u.State == state {
			n++
		}
	}
	return n
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
				_, _ = ask(c, plenty)
			}
			if up := inState(c, status.Up); up != 2 {
				t.Errorf("%d of 2 are up", up)
			}
		})
	}
	silent, good := clustertest.Serve(t, clustertest.Silence), clustertest.Zone(t, zone)
	server := clustertest.Serve(t, good)
	c, told := newTestClient(t, Options{}, silent.Addr, server.Addr)
	_, _ = ask(c, plenty)
	_, _ = ask(c, plenty)
	told.wait(t, silent.Addr.String()+" down")
	c.upstreams[1].ejection.eject(time.Now(), errMisses)
	if n := inState(c, status.Ejected); n != 0 {
		t.Error("the last one is ejected")
	}
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
		{"authoritative", true, clustertest.Silence, dns.RcodeNameError, 0},
		{"not, and a positive one comes", false, answering(dns.RcodeSuccess, true), dns.RcodeSuccess, 0},
		{"not, and another negative one comes", false, answering(dns.RcodeNameError, false), dns.RcodeNameError, 0},
		{"not, and nothing comes", false, clustertest.Silence, dns.RcodeNameError, unknownRTO},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clustertest.Tries(t, func() error {
				start := time.Now()
				m := negativeFirst(t, answering(dns.RcodeNameError, tt.aa), tt.second)
				took := time.Since(start)
				if m.Rcode != tt.rcode || took < tt.atLeast || took > tt.atLeast+time.Second {
					return fmt.Errorf("%s after %v, want %s", dns.RcodeToString[m.Rcode], took, dns.RcodeToString[tt.rcode])
				}
				return nil
			})
		})
	}
}

// negativeFirst asks two upstreams: the first answers when the second is asked as well,
// the second when the first one's answer has come.
func negativeFirst(t *testing.T, first, second dns.HandlerFunc) *dns.Msg {
	t.Helper()
	asked, come := make(chan struct{}, 100), make(chan struct{})
	c, _, _ := serveTwo(t, Options{Hedging: Hedging{After: time.Millisecond}},
		func(w dns.ResponseWriter, r *dns.Msg) {
			if r.Question[0].Qtype != dns.TypeSOA {
				<-asked
			}
			first(w, r)
		},
		func(w dns.ResponseWriter, r *dns.Msg) {
			if r.Question[0].Qtype != dns.TypeSOA {
				asked <- struct{}{}
				<-come
			}
			second(w, r)
		})
	c.hedges.saved.Store(budgetSize)
	go func() {
		defer close(come)
		for end := time.Now().Add(plenty); collected(c.upstreams[0].metrics.Replies[dns.RcodeNameError]) == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}()
	m, err := ask(c, plenty)
	if err != nil {
		t.Fatal(err)
	}
	<-come
	return m
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
		m, err := ask(c, plenty)
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
				q.Deadline = time.Now().Add(5 * time.Second)
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
		c.upstreams[0].health.suspect()
		m, err := ask(c, plenty)
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
// each is answered as soon as its retransmission timeout is over.
func TestSilentUpstream(t *testing.T) {
	silent, good := clustertest.Serve(t, clustertest.Silence), clustertest.Serve(t, clustertest.Zone(t, zone))
	clustertest.Tries(t, func() error {
		c, _ := newTestClient(t, Options{}, silent.Addr, good.Addr)
		var slowest time.Duration
		for range 20 {
			start := time.Now()
			m, err := ask(c, plenty)
			wantAddress(t, m, err)
			slowest = max(slowest, time.Since(start))
		}
		if slowest > unknownRTO+200*time.Millisecond {
			return fmt.Errorf("took %v", slowest)
		}
		return nil
	})
	if silent.UDP.Load() == 0 {
		t.Error("never asked")
	}
}

// TestLastResort: a member whose servers restart one after the other is answered all
// along, though the one that is back is still held for down when the next one goes.
func TestLastResort(t *testing.T) {
	good := clustertest.Zone(t, zone)
	servers := []*clustertest.Server{clustertest.Serve(t, good), clustertest.Serve(t, good)}
	c, _ := newTestClient(t, Options{}, servers[0].Addr, servers[1].Addr)
	answered := func() {
		t.Helper()
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
	}
	answered()
	for i := range 6 {
		gone := servers[i%2]
		gone.Stop()
		for range 4 { // both have their turn
			answered()
		}
		clustertest.WaitFor(t, func() bool {
			return c.upstreams[i%2].health.down.Load() && !c.upstreams[(i+1)%2].health.down.Load()
		})
		servers[i%2] = clustertest.ServeAt(t, gone.Addr, good)
	}
}

// TestBackMeanwhile: an upstream that comes back while it is looked for is found: it is up,
// or else the last resort.
func TestBackMeanwhile(t *testing.T) {
	c, _ := newTestClient(t, Options{}, netip.MustParseAddrPort("127.0.0.1:9"))
	candidates := candidates{client: c, tried: new(attempts)}
	health := &c.upstreams[0].health
	health.answered.Store(1) // since it was probed
	var ended atomic.Bool
	var changing sync.WaitGroup
	changing.Go(func() {
		for down := true; !ended.Load(); down = !down {
			health.down.Store(down)
		}
		health.down.Store(false)
	})
	for range 200000 {
		if candidates.next(time.Now(), first) == nil {
			t.Error("neither up nor the last resort")
			break
		}
	}
	ended.Store(true)
	changing.Wait()
}

// TestNoLastResort: where nothing was answered since the upstreams were last probed, they
// aren't asked.
func TestNoLastResort(t *testing.T) {
	servers := []*clustertest.Server{clustertest.Serve(t, clustertest.Zone(t, zone)), clustertest.Serve(t, clustertest.Zone(t, zone))}
	c, told := newTestClient(t, Options{}, servers[0].Addr, servers[1].Addr)
	m, err := ask(c, plenty)
	wantAddress(t, m, err)
	for _, s := range servers {
		s.Stop()
	}
	for range 2 {
		_, _ = ask(c, plenty)
	}
	<-told
	<-told
	clustertest.WaitFor(t, func() bool {
		at := c.answered()
		return !slices.ContainsFunc(c.upstreams, func(u *upstream) bool { return u.health.down.Load() && u.health.probed.Load() < at })
	})
	_, err = ask(c, plenty)
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
	clustertest.Within(t, 200*time.Millisecond, func() {
		c, _ := newTestClient(t, Options{}, addrs...)
		_, err := ask(c, plenty)
		wantReason(t, err, Network)
	})
}
