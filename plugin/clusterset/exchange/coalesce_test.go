package exchange

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// held is an upstream that answers when it is told to, and its probes at once: it isn't
// taken for down meanwhile.
func held(t *testing.T) (server *clustertest.Server, arrived chan string, release chan struct{}) {
	t.Helper()
	arrived, release = make(chan string, 100), make(chan struct{})
	answer := clustertest.Zone(t, zone)
	server = clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype == dns.TypeSOA {
			answer(w, r)
			return
		}
		arrived <- r.Question[0].Name
		<-release
		answer(w, r)
	})
	return server, arrived, release
}

// TestCoalescing: equal queries in flight are asked once, and each has a reply of
// its own.
func TestCoalescing(t *testing.T) {
	const queries = 50
	server, arrived, release := held(t)
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, server.Addr)
	var answered sync.WaitGroup
	var replies [queries]*dns.Msg
	begin := func(i int, name string) {
		answered.Go(func() {
			q := question(name)
			q.Deadline = time.Now().Add(plenty)
			m, from, err := c.Exchange(context.Background(), q)
			if err != nil || from.Addr != server.Addr {
				t.Errorf("%v from %v", err, from)
				return
			}
			replies[i] = m
		})
	}
	begin(0, "web.default.svc.cluster.local.")
	<-arrived
	for i := 1; i < queries; i++ {
		begin(i, "WEB.default.svc.cluster.local.") // RFC 4343
	}
	clustertest.WaitFor(t, func() bool { return collected(c.options.Metrics.Coalesced) == queries-1 })
	close(release)
	answered.Wait()
	seen := make(map[dns.RR]bool)
	for _, m := range replies {
		wantAddress(t, m, nil)
		if seen[m.Answer[0]] {
			t.Error("two queries share a record")
		}
		seen[m.Answer[0]] = true
	}
}

// TestCoalescingWithoutTime: who has little time left, as part of a question that took
// the most of it, gives up alone.
func TestCoalescingWithoutTime(t *testing.T) {
	server, arrived, release := held(t)
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}, Timeout: plenty}, server.Addr)
	begin := func(left time.Duration) chan error {
		done := make(chan error, 1)
		go func() {
			q := question("web.default.svc.cluster.local.")
			q.Deadline = time.Now().Add(left)
			_, _, err := c.Exchange(context.Background(), q)
			done <- err
		}()
		<-arrived
		return done
	}
	short := begin(time.Second)
	long := begin(plenty)
	if err := <-short; err == nil {
		t.Error("answered before its time")
	}
	close(release)
	if err := <-long; err != nil {
		t.Error(err)
	}
}

// TestCoalescingKeepsApart: what changes the reply is asked for itself.
func TestCoalescingKeepsApart(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Query)
		joins  bool
	}{
		{"nothing", func(*Query) {}, true},
		{"case", func(q *Query) { q.Name = strings.ToUpper(q.Name) }, true},
		{"name", func(q *Query) { q.Name = "wec" + q.Name[3:] }, false},
		{"a longer name", func(q *Query) { q.Name = "a." + q.Name }, false},
		{"type", func(q *Query) { q.Type = dns.TypeAAAA }, false},
		{"RD", func(q *Query) { q.RecursionDesired = false }, false},
		{"AD", func(q *Query) { q.AuthenticatedData = true }, false},
		{"CD", func(q *Query) { q.CheckingDisabled = true }, false},
		{"DO", func(q *Query) { q.EDNS.DO = true }, false},
		{"size", func(q *Query) { q.EDNS.Size = 512 }, false},
		{"a size that isn't asked for", func(q *Query) { q.EDNS.Size = 4096 }, true},
		{"without EDNS", func(q *Query) { q.EDNS = EDNS{} }, false},
		{"an option", func(q *Query) { q.EDNS.Option = Option{Code: dns.EDNS0LOCALSTART, Data: "2"} }, false},
		{"TCP", func(q *Query) { q.TCP = true }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			one, two := question("web.default.svc.cluster.local."), question("web.default.svc.cluster.local.")
			one.EDNS.Size, two.EDNS.Size = 1232, 1232
			tt.change(two)
			f := newFlights()
			if got := joins(t, &f, one, two); got != tt.joins {
				t.Errorf("joins: %v", got)
			}
		})
	}
}

// joins reports whether two joins the flight of one.
func joins(t *testing.T, f *flights, one, two *Query) bool {
	t.Helper()
	a, err := one.pack()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Free()
	b, err := two.pack()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	sum := a.Sum(f.seed)
	flight, leads := f.join(sum, a, one.TCP)
	if !leads {
		t.Fatal("the first one doesn't lead")
	}
	if other, leads := f.join(b.Sum(f.seed), b, two.TCP); !leads {
		return other == flight
	}
	if two.TCP { // which isn't in the message: it meets the other in its place
		return false
	}
	if other, leads := f.join(sum, b, two.TCP); other != nil || !leads {
		t.Error("of one sum, it joins though it is another query")
	}
	return false
}

// TestCoalescingLeaderGone: whose client has gone takes nobody else along.
func TestCoalescingLeaderGone(t *testing.T) {
	server, arrived, release := held(t)
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, server.Addr)
	ctx, cancel := context.WithCancel(context.Background())
	q := question("web.default.svc.cluster.local.")
	q.Deadline = time.Now().Add(plenty)
	var answered sync.WaitGroup
	answered.Go(func() {
		_, _, err := c.Exchange(ctx, q)
		wantReason(t, err, Canceled)
	})
	<-arrived
	var good atomic.Int64
	for range 5 {
		answered.Go(func() {
			m, _, err := c.Exchange(context.Background(), q)
			if err == nil && len(m.Answer) == 1 {
				good.Add(1)
			}
		})
	}
	clustertest.WaitFor(t, func() bool { return collected(c.options.Metrics.Coalesced) == 5 })
	cancel()
	<-arrived // one of the five asks in its place
	close(release)
	answered.Wait()
	if good.Load() != 5 {
		t.Errorf("%d of 5 answered", good.Load())
	}
}

// TestCoalescingFails: all that wait fail with the one that asks, or when their own time
// is over.
func TestCoalescingFails(t *testing.T) {
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	fails := answering(dns.RcodeServerFailure, true)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeSOA {
			arrived <- struct{}{}
			<-release
		}
		fails(w, r)
	})
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}, Timeout: time.Nanosecond}, server.Addr) // all have time to wait
	var failed, gone sync.WaitGroup
	asks := func(group *sync.WaitGroup, timeout time.Duration, want Reason) {
		group.Go(func() {
			_, err := ask(c, timeout)
			wantReason(t, err, want)
		})
	}
	asks(&failed, time.Minute, BadReply)
	<-arrived
	for range 4 {
		asks(&failed, time.Minute, BadReply)
	}
	asks(&gone, 2*time.Second, NoReply)
	clustertest.WaitFor(t, func() bool { return collected(c.options.Metrics.Coalesced) == 5 })
	gone.Wait()
	close(release)
	failed.Wait()
	if len(c.flights.flights) != 0 {
		t.Error("something is left")
	}
}
