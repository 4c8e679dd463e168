package clusterset

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/test"

	tap "github.com/dnstap/golang-dnstap"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// newCaching is newResolver with a cache.
func newCaching(tb testing.TB, m model.Mode, v *view, upstream string) *Clusterset {
	tb.Helper()
	p := newResolver(tb, m, v, upstream)
	c := answercache.New(answercache.Options{Capacity: 1000, NegativeTTL: p.options.negativeTTL, ServeStale: p.options.serveStale})
	one := p.resolver.Members().Member("c1")
	one.Answers = c.Member(one.Metrics.Cache())
	tb.Cleanup(one.Answers.Close)
	return p
}

// script is a member's DNS whose handler a test changes.
type script struct {
	*clustertest.Server
	now atomic.Pointer[dns.HandlerFunc]
}

func newScript(t *testing.T, handler dns.HandlerFunc) *script {
	t.Helper()
	s := new(script)
	s.set(handler)
	s.Server = clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) { (*s.now.Load())(w, r) })
	return s
}

func (s *script) set(handler dns.HandlerFunc) { s.now.Store(&handler) }

// webAt answers for web.default, and nothing else, with that TTL.
func webAt(t *testing.T, address string, ttl int) dns.HandlerFunc {
	t.Helper()
	return clustertest.Zone(t, fmt.Sprintf(`cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
web.default.svc.cluster.local. %d IN A %s`, ttl, address))
}

const (
	web     = "web.default.c1.lan."
	missing = "missing.default.c1.lan."
)

// TestCached: the member is asked once, for positive and negative answers, whatever
// the case, and once for each of what changes the reply; TTLs count down.
func TestCached(t *testing.T) {
	s := newScript(t, webAt(t, "10.101.9.9", 60))
	p := newCaching(t, model.ModeForward, nil, s.Addr.String())
	for range 3 {
		for name, want := range map[string]string{web: "NOERROR", "WEB.Default.c1.Lan.": "NOERROR", missing: "NXDOMAIN"} {
			m := asked(t, p, name, dns.TypeA)
			if !strings.HasPrefix(summary(m), want) || want == "NOERROR" && m.Answer[0].Header().Name != name {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
	if n := s.UDP.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	for i, change := range []func(*dns.Msg){
		func(m *dns.Msg) { m.SetEdns0(1232, true) }, func(m *dns.Msg) { m.CheckingDisabled = true }, func(m *dns.Msg) { m.RecursionDesired = false },
	} {
		for range 2 {
			q := new(dns.Msg).SetQuestion(web, dns.TypeA)
			change(q)
			_, _ = p.ServeDNS(context.Background(), nowhere{&test.ResponseWriter{}}, q)
		}
		if n := s.UDP.Load(); n != int64(3+i) {
			t.Errorf("change %d: asked %d times", i, n)
		}
	}
	eventually(t, inTime, "TTLs count down", func() bool {
		positive, negative := asked(t, p, web, dns.TypeA), asked(t, p, missing, dns.TypeA)
		return positive.Answer[0].Header().Ttl < 60 && negative.Ns[0].Header().Ttl < 5
	})
	if n := s.UDP.Load(); n != 5 {
		t.Errorf("asked %d times", n)
	}
}

// expired has the cache keep an address of a name whose TTL, of a second, is over.
func expired(t *testing.T, p *Clusterset, name, address string) {
	t.Helper()
	q := new(dns.Msg).SetQuestion(name, dns.TypeA).SetEdns0(1232, false)
	reply := new(dns.Msg).SetReply(q)
	reply.Answer = rrs(strings.TrimSuffix(name, "c1.lan.") + "svc.cluster.local. 1 IN A " + address)
	p.resolver.Members().Member("c1").Answers.Put(answercache.KeyOf(q), reply.Answer[0].Header().Name, reply, time.Now().Add(-time.Second))
}

// TestStaleAnswer: past its TTL, an answer is given when the member fails, or is
// late; but nothing that doesn't exist is said so.
func TestStaleAnswer(t *testing.T) {
	s := newScript(t, nil)
	const stale = "NOERROR 1 10.101.9.9 Stale Answer"
	tests := []struct {
		name  string
		then  dns.HandlerFunc
		qname string
		want  string
	}{
		{"alive", webAt(t, "10.101.9.8", 60), web, "NOERROR 60 10.101.9.8"},
		{"failing", clustertest.Rcode(dns.RcodeServerFailure), web, stale},
		{"late", clustertest.Silence, web, stale},
		{"no such name any more", clustertest.Zone(t, "cluster.local. 5 IN SOA ns.dns.cluster.local. h.cluster.local. 1 2 3 4 5"), web, "NXDOMAIN"},
		{"never a stale negative", clustertest.Rcode(dns.RcodeServerFailure), missing, "SERVFAIL No Reachable Authority"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newCaching(t, model.ModeForward, nil, s.Addr.String())
			p.resolver.Timeout = time.Second
			expired(t, p, web, "10.101.9.9")
			s.set(clustertest.Zone(t, "cluster.local. 1 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 1"))
			asked(t, p, missing, dns.TypeA)
			if tt.qname == missing {
				eventually(t, inTime, "its end", func() bool {
					return p.resolver.Members().Member("c1").Answers.Get(answercache.KeyOf(new(dns.Msg).SetQuestion(missing, dns.TypeA))).State(time.Now()) != answercache.Fresh
				})
			}
			s.set(tt.then)
			if got := summary(asked(t, p, tt.qname, dns.TypeA)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestStaleThenRefreshed: a query that waited is answered stale, and what the member
// says later is the answer from then on.
func TestStaleThenRefreshed(t *testing.T) {
	s := newScript(t, nil)
	p := newCaching(t, model.ModeForward, nil, s.Addr.String())
	p.resolver.Timeout = 20 * time.Second
	expired(t, p, web, "10.101.9.9")
	release := make(chan struct{})
	then := webAt(t, "10.101.9.8", 60)
	s.set(func(w dns.ResponseWriter, r *dns.Msg) {
		<-release
		then(w, r)
	})
	start := time.Now()
	if got := summary(asked(t, p, web, dns.TypeA)); got != "NOERROR 1 10.101.9.9 Stale Answer" || time.Since(start) < answercache.ClientTimeout || time.Since(start) > p.resolver.Timeout/2 {
		t.Errorf("%s after %v", got, time.Since(start))
	}
	if got := summary(asked(t, p, web, dns.TypeA)); got != "NOERROR 1 10.101.9.9 Stale Answer" {
		t.Errorf("while it is being asked: %s", got)
	}
	close(release)
	eventually(t, inTime, "the refresh", func() bool { return summary(asked(t, p, web, dns.TypeA)) == "NOERROR 60 10.101.9.8" })
}

// TestCacheOrder: data go before the cache while they are fresh, and before stale
// answers where they have the name.
func TestCacheOrder(t *testing.T) {
	s := newScript(t, clustertest.Zone(t, `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
1-2-3-4.default.pod.cluster.local. 60 IN A 10.101.9.8`))
	v := &view{member.View{Data: webData(), State: member.Stale, Since: time.Now(), Err: errAPI}}
	p := newCaching(t, model.ModeAuto, v, s.Addr.String())
	expired(t, p, web, "10.101.9.9")
	expired(t, p, "new.default.c1.lan.", "10.101.9.7")
	asked(t, p, "1-2-3-4.default.pod.c1.lan.", dns.TypeA)
	s.set(clustertest.Rcode(dns.RcodeServerFailure))
	for name, want := range map[string]string{
		web: "NOERROR 5 10.101.1.1 Stale Answer", "new.default.c1.lan.": "NOERROR 1 10.101.9.7 Stale Answer", "1-2-3-4.default.pod.c1.lan.": "NOERROR 60 10.101.9.8",
	} {
		if got := summary(asked(t, p, name, dns.TypeA)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	v.now.State = member.Fresh
	if got := summary(asked(t, p, web, dns.TypeA)); got != "NOERROR 5 10.101.1.1" {
		t.Errorf("fresh data: %s", got)
	}
}

// TestPrefetch: a popular name is asked again before its answer expires.
func TestPrefetch(t *testing.T) {
	s := newScript(t, webAt(t, "10.101.9.9", 2))
	p := newCaching(t, model.ModeForward, nil, s.Addr.String())
	ahead := p.resolver.Members().Member("c1").Metrics.(*memberMetrics).cache.prefetches
	before := testutil.ToFloat64(ahead)
	eventually(t, inTime, "fetched ahead", func() bool {
		if got := summary(asked(t, p, web, dns.TypeA)); !strings.HasPrefix(got, "NOERROR") || strings.Contains(got, "Stale") {
			t.Errorf("got %s", got)
		}
		return s.UDP.Load() >= 2 && testutil.ToFloat64(ahead) > before
	})
}

// TestMemberLosesAnswers: a member that changed or left is found in no cache.
func TestMemberLosesAnswers(t *testing.T) {
	before := goleak.IgnoreCurrent()
	one, two := clustertest.Serve(t, fixed("10.101.0.1")), clustertest.Serve(t, fixed("10.101.0.2"))
	stays := clusterAt("stays", one.Addr.String(), "")
	path := document(t, stays+clusterAt("c1", one.Addr.String(), ""))
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+path+"\n}\n}")
	ask := func(name string) string { return addressOf(lookup(t, s.addr, "udp", name, dns.TypeA)) }
	for range 3 {
		ask(web)
		ask("web.default.stays.lan.")
	}
	if n := one.UDP.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	writeDocument(t, path, stays+clusterAt("c1", two.Addr.String(), ""))
	eventually(t, changeBound, "changed", func() bool { return ask(web) == "10.101.0.2" })
	writeDocument(t, path, stays)
	eventually(t, changeBound, "left", func() bool { return ask(web) == "NXDOMAIN" })
	ask("web.default.stays.lan.")
	if n := one.UDP.Load(); n != 2 {
		t.Errorf("the one that stays was asked again: %d", n)
	}
	s.stop()
	one.Stop()
	two.Stop()
	eventually(t, members.DrainTime+inTime, "nothing left", func() bool { return goleak.Find(before) == nil })
}

// TestCachedChecked: a cached answer is checked as the member's reply is.
func TestCachedChecked(t *testing.T) {
	s := newScript(t, webAt(t, "127.0.0.1", 60))
	p := newCaching(t, model.ModeForward, nil, s.Addr.String())
	for range 2 {
		if got := summary(asked(t, p, web, dns.TypeA)); got != "SERVFAIL Filtered" {
			t.Error(got)
		}
	}
	if n := s.UDP.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestHopsNotKept: what a query gets that was forwarded before is for it alone.
func TestHopsNotKept(t *testing.T) {
	s := newScript(t, webAt(t, "10.101.9.9", 60))
	p := newCaching(t, model.ModeForward, nil, s.Addr.String())
	q := new(dns.Msg).SetQuestion(web, dns.TypeA).SetEdns0(1232, false)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: hopsOption, Data: []byte{2}}}
	for n := range 3 {
		if n < 2 {
			_, _ = p.ServeDNS(context.Background(), nowhere{&test.ResponseWriter{}}, q)
		} else {
			asked(t, p, web, dns.TypeA)
		}
		if got := s.UDP.Load(); got != int64(n+1) {
			t.Errorf("asked %d times, want %d", got, n+1)
		}
	}
}

// TestRefreshTapped: what a refresh asks is told to dnstap as well, without the
// query's metadata: it may be over.
func TestRefreshTapped(t *testing.T) {
	member := clustertest.Serve(t, webAt(t, "10.101.0.1", 1)).Addr.String()
	addr, messages := tapped(t, "tcp", "127.77.0.1:0")
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		metadata
		dnstap tcp://`+addr+` full {
			extra "{/clusterset/cluster}"
		}
		clusterset lan {
			file `+document(t, clusterAt("c1", member, ""))+`
		}
	}`)
	for _, extra := range []string{"c1", "-"} { // forwarded, refreshed
		eventually(t, inTime, "messages", func() bool {
			lookup(t, s.addr, "udp", web, dns.TypeA)
			return len(messages) >= 2
		})
		for _, kind := range []tap.Message_Type{tap.Message_FORWARDER_QUERY, tap.Message_FORWARDER_RESPONSE} {
			if d := nextTapped(t, messages); d.Message.GetType() != kind || string(d.Extra) != extra {
				t.Errorf("%v, extra %q; want %v, %q", d.Message.GetType(), d.Extra, kind, extra)
			}
		}
	}
}

// cacheAllocs is the budget of an answer from the cache: the query's own state, and
// the message with its question and record.
const cacheAllocs = 2

func TestCacheAllocs(t *testing.T) {
	serve := serveCached(t)
	serve()
	if n := testing.AllocsPerRun(1000, serve); n > cacheAllocs {
		t.Errorf("%v allocations, want %v at most", n, cacheAllocs)
	}
}

// TestRefreshedForAnother: what another client's words brought, of the same key, isn't the
// reply where this one can take more, or has more look-ups to make.
func TestRefreshedForAnother(t *testing.T) {
	s := newScript(t, webAt(t, "10.101.9.8", 60))
	for name, said := range map[string]func() (*dns.Msg, error){
		"truncated": func() (*dns.Msg, error) { return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Truncated: true}}, nil },
		"spent":     func() (*dns.Msg, error) { return nil, &exchange.Error{Member: "c1", Reason: exchange.Spent} },
	} {
		p := newCaching(t, model.ModeForward, nil, s.Addr.String())
		expired(t, p, web, "10.101.9.9")
		one := p.resolver.Members().Member("c1")
		key := answercache.KeyOf(new(dns.Msg).SetQuestion(web, dns.TypeA).SetEdns0(1232, false))
		asks := make(chan struct{})
		one.Answers.Refresh(key, one.Answers.Get(key), func(context.Context) (*dns.Msg, error) {
			<-asks
			return said()
		})
		replied := make(chan string)
		go func() { replied <- summary(asked(t, p, web, dns.TypeA)) }()
		eventually(t, inTime, name+": it waits", waitsForRefresh)
		close(asks)
		if got := <-replied; got != "NOERROR 60 10.101.9.8" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// waitsForRefresh reports whether a goroutine waits for a refresh.
func waitsForRefresh() bool {
	stacks := make([]byte, 1<<20)
	return regexp.MustCompile(`answercache\.\(\*\w+\)\.Wait\(`).Match(stacks[:runtime.Stack(stacks, true)])
}

func serveCached(tb testing.TB) func() {
	tb.Helper()
	s := clustertest.Serve(tb, clustertest.Zone(tb, "cluster.local. 5 IN SOA ns. h. 1 2 3 4 5\nweb.default.svc.cluster.local. 3600 IN A 10.101.9.9"))
	p := newCaching(tb, model.ModeForward, nil, s.Addr.String())
	q := new(dns.Msg).SetQuestion(web, dns.TypeA)
	w := nowhere{&test.ResponseWriter{}}
	ctx := context.Background()
	return func() { _, _ = p.ServeDNS(ctx, w, q) }
}

func BenchmarkCached(b *testing.B) {
	serve := serveCached(b)
	b.ReportAllocs()
	for b.Loop() {
		serve()
	}
}
