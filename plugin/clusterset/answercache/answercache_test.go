package answercache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tally is a Counter.
type tally struct{ atomic.Int64 }

func (t *tally) Inc() { t.Add(1) }

type tallies struct {
	member  *Member
	evicted [Kinds]tally
}

// entries returns how many answers of that kind the member's Status has.
func (t *tallies) entries(kind Kind) int {
	s := t.member.Status()
	return [Kinds]int{Positive: s.Positive.Entries, Negative: s.Negative.Entries}[kind]
}

func newMember(tb testing.TB, c *Cache) (*Member, *tallies) {
	tb.Helper()
	t := new(tallies)
	var metrics Metrics
	for kind := range Kinds {
		metrics.Evicted[kind] = &t.evicted[kind]
	}
	m := c.Member(metrics)
	t.member = m
	tb.Cleanup(m.Close)
	return m, t
}

// question is a query for an address.
func question(name string) *dns.Msg {
	return new(dns.Msg).SetQuestion(name, dns.TypeA)
}

func key(name string) Key { return KeyOf(question(name)) }

// reply is a message with these records, each after the section it is in: "an",
// "ns", "ar".
func reply(tb testing.TB, rcode int, records ...string) *dns.Msg {
	tb.Helper()
	m := question("web.default.svc.cluster.local.")
	m.Response, m.Rcode = true, rcode
	for _, text := range records {
		section, text, _ := strings.Cut(text, " ")
		rr, err := dns.NewRR(text)
		if err != nil {
			tb.Fatal(err)
		}
		into := map[string]*[]dns.RR{"an": &m.Answer, "ns": &m.Ns, "ar": &m.Extra}[section]
		*into = append(*into, rr)
	}
	return m
}

// address is a reply as exchange gives them: with four bytes of address.
func address(name string, ttl uint32) *dns.Msg {
	m := question(name)
	m.Response = true
	m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: net.IP{10, 101, 0, 1}}}
	return m
}

func nameError(ttl uint32) *dns.Msg {
	m := question("nope.default.svc.cluster.local.")
	m.Response, m.Rcode = true, dns.RcodeNameError
	m.Ns = []dns.RR{&dns.SOA{
		Hdr: dns.RR_Header{Name: "cluster.local.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "ns.dns.cluster.local.", Mbox: "hostmaster.cluster.local.", Minttl: ttl,
	}}
	return m
}

const soa = "ns cluster.local. %d IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 %d"

// TestJudge is which replies are kept, and how long: RFC 2308, section 5.
func TestJudge(t *testing.T) {
	const a, cname = "an web.default.svc.cluster.local. 7 IN A 10.101.0.1", "an web.default.svc.cluster.local. 60 IN CNAME www.example.org."
	tests := []struct {
		name  string
		reply *dns.Msg
		want  verdict
	}{
		{"an address", reply(t, 0, a), verdict{Positive, 7, true, true}},
		{"the least TTL", reply(t, 0, a, "an web.default.svc.cluster.local. 3 IN A 10.101.0.2", "ar b. 2 IN A 10.101.0.2"), verdict{Positive, 2, true, true}},
		{"a long TTL", reply(t, 0, "an a. 86400 IN A 10.101.0.1"), verdict{Positive, maxTTL, true, true}},
		{"TTL 0", reply(t, 0, "an a. 0 IN A 10.101.0.1"), verdict{Positive, 0, true, true}},
		{"EDNS has no TTL", reply(t, 0, a).SetEdns0(1232, true), verdict{Positive, 7, true, true}},
		{"a CNAME that leads out", reply(t, 0, cname), verdict{Positive, 60, true, true}},
		{"a CNAME to no address", reply(t, 0, cname, fmt.Sprintf(soa, 4, 4)), verdict{Negative, 4, true, true}},
		{"a CNAME to no name", reply(t, dns.RcodeNameError, cname, fmt.Sprintf(soa, 4, 4)), verdict{Negative, 4, true, true}},
		{"NXDOMAIN, ours is least", reply(t, dns.RcodeNameError, fmt.Sprintf(soa, 9, 9)), verdict{Negative, 5, true, true}},
		{"NXDOMAIN, the SOA's TTL is least", reply(t, dns.RcodeNameError, fmt.Sprintf(soa, 3, 9)), verdict{Negative, 3, true, true}},
		{"NXDOMAIN, the minimum is least", reply(t, dns.RcodeNameError, fmt.Sprintf(soa, 9, 2)), verdict{Negative, 2, true, true}},
		{"NXDOMAIN, minimum 0", reply(t, dns.RcodeNameError, fmt.Sprintf(soa, 9, 0)), verdict{Negative, 0, false, true}},
		{"NXDOMAIN without SOA", reply(t, dns.RcodeNameError), verdict{replaces: true}},
		{"NODATA", reply(t, 0, fmt.Sprintf(soa, 9, 9)), verdict{Negative, 5, true, true}},
		{"NODATA without SOA", reply(t, 0), verdict{replaces: true}},
		{"a referral", reply(t, 0, "ns a. 5 IN NS b."), verdict{replaces: true}},
		{"SERVFAIL", reply(t, dns.RcodeServerFailure, a), verdict{}},
		{"REFUSED", reply(t, dns.RcodeRefused), verdict{}},
		{"NOTIMP", reply(t, dns.RcodeNotImplemented), verdict{}},
	}
	cut := reply(t, 0, a)
	cut.Truncated = true
	tests = append(tests, struct {
		name  string
		reply *dns.Msg
		want  verdict
	}{"truncated", cut, verdict{}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(tt.reply, dns.TypeA, 5)
			if !got.keep {
				got.kind, got.ttl = 0, 0
			}
			if !tt.want.keep {
				tt.want.kind, tt.want.ttl = 0, 0
			}
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestKey: what changes the reply tells questions apart, and the case doesn't.
func TestKey(t *testing.T) {
	plain := question("web.default.c1.lan.")
	other := []func(*dns.Msg){
		func(m *dns.Msg) { m.Question[0].Name = "db.default.c1.lan." },
		func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA },
		func(m *dns.Msg) { m.RecursionDesired = false },
		func(m *dns.Msg) { m.AuthenticatedData = true },
		func(m *dns.Msg) { m.CheckingDisabled = true },
		func(m *dns.Msg) { m.SetEdns0(1232, true) },
	}
	seen := map[Key]bool{KeyOf(plain): true}
	for i, change := range other {
		m := plain.Copy()
		change(m)
		if seen[KeyOf(m)] {
			t.Errorf("change %d: seen before", i)
		}
		seen[KeyOf(m)] = true
	}
	for _, change := range []func(*dns.Msg){
		func(m *dns.Msg) { m.Question[0].Name = "WEB.default.C1.lan." },
		func(m *dns.Msg) { m.SetEdns0(4096, false) },
		func(m *dns.Msg) { m.Id++ },
	} {
		m := plain.Copy()
		change(m)
		if KeyOf(m) != KeyOf(plain) {
			t.Errorf("%v", KeyOf(m))
		}
	}
}

// TestZeroTTL: what has a TTL of 0 is never kept, wherever the TTL stands, nor is what
// there was before.
func TestZeroTTL(t *testing.T) {
	m, _ := newMember(t, New(Options{Capacity: 100, NegativeTTL: 5, ServeStale: time.Minute}))
	now := time.Now()
	for _, record := range []string{"an web. 0 IN A 10.101.0.1", "ar web. 0 IN AAAA fd00::1", "ns web. 0 IN NS ns."} {
		m.Put(key("web.lan."), "web.", reply(t, 0, "an web. 10 IN A 10.101.0.1"), now)
		if m.Get(key("web.lan.")) == nil {
			t.Fatal("not kept")
		}
		m.Put(key("web.lan."), "web.", reply(t, 0, "an web. 10 IN TXT x", "an web. 10 IN A 10.101.0.1", record), now)
		if m.Get(key("web.lan.")) != nil {
			t.Errorf("%s: kept", record)
		}
	}
}

// TestLife: an answer is fresh, then stale, then gone; a negative one is never
// stale; TTLs count down.
func TestLife(t *testing.T) {
	c := New(Options{Capacity: 100, NegativeTTL: 5, ServeStale: time.Minute})
	m, _ := newMember(t, c)
	start := time.Now()
	m.Put(key("web.lan."), "web.", reply(t, 0, "an web. 10 IN A 10.101.0.1", "an web. 20 IN TXT x", "ar web. 100 IN AAAA fd00::1"), start)
	m.Put(key("nope.lan."), "nope.", nameError(30), start)
	tests := []struct {
		name  string
		after time.Duration
		want  State
	}{
		{"web.lan.", 0, Fresh},
		{"web.lan.", 10*time.Second - 1, Fresh},
		{"web.lan.", 10 * time.Second, Stale},
		{"web.lan.", 70*time.Second - 1, Stale},
		{"web.lan.", 70 * time.Second, Gone},
		{"nope.lan.", 5*time.Second - 1, Fresh},
		{"nope.lan.", 5 * time.Second, Gone},
	}
	for _, tt := range tests {
		if got := m.Get(key(tt.name)).State(start.Add(tt.after)); got != tt.want {
			t.Errorf("%s after %v: state %d, want %d", tt.name, tt.after, got, tt.want)
		}
	}
	a := m.Get(key("web.lan."))
	got := a.Message(start.Add(3900 * time.Millisecond))
	if got.Answer[0].Header().Ttl != 7 || got.Answer[1].Header().Ttl != 17 || got.Extra[0].Header().Ttl != 97 {
		t.Errorf("after 3.9 s: %v", got)
	}
	stale := a.StaleMessage()
	if stale.Answer[0].Header().Ttl != 10 || stale.Extra[0].Header().Ttl != maxStaleTTL {
		t.Errorf("stale: %v", stale)
	}
}

// TestCopies: nothing of a copy is another's, and what is kept isn't the caller's.
func TestCopies(t *testing.T) {
	texts := []string{
		"an web. 10 IN A 10.101.0.1", "an web. 10 IN AAAA fd00::1", "an web. 10 IN SRV 0 0 80 web.", "an web. 10 IN TXT x",
		"ns web. 10 IN NS web.", "ar web. 10 IN A 10.101.0.2",
	}
	for n := range len(texts) + 1 {
		c := New(Options{Capacity: 100, NegativeTTL: 5, ServeStale: time.Minute})
		m, _ := newMember(t, c)
		given := reply(t, 0, append(texts[n:len(texts):len(texts)], "an web. 10 IN CNAME b.")...).SetEdns0(1232, true)
		want := given.Copy()
		want.Extra = want.Extra[:len(want.Extra)-1]
		now := time.Now()
		m.Put(key("web.lan."), "web.", given, now)
		spoil(given)
		spoil(m.Get(key("web.lan.")).Message(now))
		if got := m.Get(key("web.lan.")).Message(now); got.String() != want.String() {
			t.Errorf("%v, want %v", got, want)
		}
	}
	one := address("web.", 10)
	want := one.String()
	m, _ := newMember(t, New(Options{Capacity: 100}))
	m.Put(key("web.lan."), "web.", one, time.Now())
	spoil(m.Get(key("web.lan.")).Message(time.Now()))
	if got := m.Get(key("web.lan.")).Message(time.Now()); got.String() != want {
		t.Error(got)
	}
}

// spoil changes what a plugin may change.
func spoil(m *dns.Msg) {
	for _, rrs := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for i, rr := range rrs {
			rr.Header().Name, rr.Header().Ttl = "spoilt.", 0
			switch rr := rr.(type) {
			case *dns.A:
				rr.A[0] = 99
			case *dns.AAAA:
				rr.AAAA[0] = 99
			case *dns.SRV:
				rr.Target = "spoilt."
			case *dns.TXT:
				rr.Txt[0] = "spoilt"
			}
			rrs[i] = nil
		}
	}
	m.Question[0].Name = "spoilt."
	m.Answer, m.Ns = append(m.Answer, new(dns.A)), append(m.Ns, new(dns.A))
}

// TestReplaced: the last word about a name holds, kept or not; a failure is none.
func TestReplaced(t *testing.T) {
	positive, negative := address("web.", 10), nameError(10)
	cut := address("web.", 10)
	cut.Truncated = true
	tests := []struct {
		name          string
		first, second *dns.Msg
		want          string
	}{
		{"negative after positive", positive, negative, "negative"},
		{"positive after negative", negative, positive, "positive"},
		{"heavier", positive, reply(t, 0, "an web. 10 IN TXT "+strings.Repeat("x", 200)), "positive"},
		{"a negative one that isn't kept", positive, reply(t, dns.RcodeNameError), "none"},
		{"SERVFAIL", positive, reply(t, dns.RcodeServerFailure), "positive"},
		{"truncated", positive, cut, "positive"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := New(Options{Capacity: 100, NegativeTTL: 5, ServeStale: time.Minute})
			m, tallies := newMember(t, c)
			k := Key{Name: "web.lan.", Type: tt.second.Question[0].Qtype}
			if len(tt.second.Answer) > 0 {
				k.Type = tt.second.Answer[0].Header().Rrtype
			}
			m.Put(k, "web.", tt.first, time.Now())
			m.Put(k, "web.", tt.second, time.Now())
			got := "none"
			if a := m.Get(k); a != nil {
				got = [...]string{"positive", "negative"}[a.Kind()]
			}
			entries := [Kinds]int{tallies.entries(Positive), tallies.entries(Negative)}
			want := map[string][Kinds]int{"none": {}, "positive": {1, 0}, "negative": {0, 1}}[tt.want]
			if got != tt.want || entries != want {
				t.Errorf("%s, entries %v; want %s, %v", got, entries, tt.want, want)
			}
		})
	}
}

// TestDue: a popular answer is fetched once before it expires.
func TestDue(t *testing.T) {
	start := time.Now()
	tests := []struct {
		ttl   uint32
		hits  int
		after time.Duration
		want  bool
	}{
		{100, 3, 89 * time.Second, false},
		{100, 3, 90 * time.Second, true},
		{100, 2, 95 * time.Second, false},
		{5, 3, 3900 * time.Millisecond, false},
		{5, 3, 4 * time.Second, true},
		{1, 3, 400 * time.Millisecond, false},
		{1, 3, 500 * time.Millisecond, true},
	}
	for _, tt := range tests {
		m, _ := newMember(t, New(Options{Capacity: 10}))
		m.Put(key("web.lan."), "web.", address("web.", tt.ttl), start)
		var a *Answer
		for range tt.hits {
			a = m.Get(key("web.lan."))
		}
		if got := a.Due(start.Add(tt.after)); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
		if a.Due(start.Add(tt.after)) {
			t.Errorf("%+v: twice", tt)
		}
	}
}

// TestDrop: a member that left isn't found, keeps nothing, and counts no more.
func TestDrop(t *testing.T) {
	c := New(Options{Capacity: 8, NegativeTTL: 5})
	m, tallies := newMember(t, c)
	other, _ := newMember(t, c)
	for i := range 8 {
		m.Put(key(fmt.Sprint(i, ".lan.")), "web.", address("web.", 60), time.Now())
		m.Put(key(fmt.Sprint(i, ".nope.")), "nope.", nameError(60), time.Now())
	}
	if tallies.entries(Positive) != 8 || tallies.entries(Negative) != 2 || tallies.evicted[Negative].Load() != 6 {
		t.Errorf("%v", tallies)
	}
	m.Drop()
	m.Put(key("late.lan."), "web.", address("web.", 60), time.Now())
	if m.Get(key("7.lan.")) != nil || m.Get(key("late.lan.")) != nil || tallies.entries(Positive)+tallies.entries(Negative) != 0 {
		t.Errorf("something is left: %v", tallies)
	}
	for i := range 8 {
		other.Put(key(fmt.Sprint(i, ".lan.")), "web.", address("web.", 60), time.Now())
	}
	if other.Get(key("0.lan.")) == nil {
		t.Error("its room isn't given back")
	}
}

// TestShares: a flood of one member's names, positive ones even, asked twice each,
// takes nothing from a member that has no more than its share; and heavy answers
// count for what they take.
func TestShares(t *testing.T) {
	c := New(Options{Capacity: 1000})
	flooded, floods := newMember(t, c)
	good, _ := newMember(t, c)
	idle, _ := newMember(t, c)
	now := time.Now()
	idle.Put(key("x.lan."), "x.", address("x.", 3600), now)
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			k := key(fmt.Sprint(i, ".flood.lan."))
			for range 2 {
				if flooded.Get(k) == nil {
					flooded.Put(k, "web.", address("web.", 3600), now)
				}
			}
		}
	}
	flood(0, 5000)
	if n := floods.entries(Positive); n != 999 {
		t.Errorf("alone it has %d", n)
	}
	for i := range 333 {
		good.Put(key(fmt.Sprint(i, ".lan.")), "web.", address("web.", 3600), now)
	}
	flood(5000, 20000)
	for i := range 333 {
		if good.Get(key(fmt.Sprint(i, ".lan."))) == nil {
			t.Fatalf("%d was pushed out", i)
		}
	}
	if idle.Get(key("x.lan.")) == nil {
		t.Error("the idle member's was pushed out")
	}
	heavy := address("web.", 3600)
	for range 60 { // some 8 KiB
		heavy.Answer = append(heavy.Answer, heavy.Answer[0])
	}
	for i := range 1000 {
		flooded.Put(key(fmt.Sprint(i, ".heavy.lan.")), "web.", heavy, now)
	}
	if used := c.kinds[Positive].used; used > 1000 {
		t.Errorf("%d used", used)
	}
}

// TestSweep: what is gone makes room for whoever needs it.
func TestSweep(t *testing.T) {
	c := New(Options{Capacity: 100})
	was, wases := newMember(t, c)
	is, ises := newMember(t, c)
	start := time.Now()
	for i := range 100 {
		was.Put(key(fmt.Sprint(i, ".lan.")), "web.", address("web.", 5), start)
	}
	later := start.Add(2 * sweepEvery)
	for i := range 1000 {
		is.Put(key(fmt.Sprint(i, ".lan.")), "web.", address("web.", 5), later)
		is.tasks.Wait()
	}
	if wases.entries(Positive) != 0 || ises.entries(Positive) != 100 {
		t.Errorf("%d that are gone, %d others", wases.entries(Positive), ises.entries(Positive))
	}
}

// heap is what the program keeps.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// maxEntry is what the man page says that an answer takes of memory at the most,
// for each one that it counts as.
const maxEntry = 1536

// TestFlood: a million missing names that are asked once, ten minutes' worth of
// 100,000 a minute, and existing ones as pods' names are: the good names, each asked every two
// seconds or so, stay, and so does the memory.
func TestFlood(t *testing.T) {
	clustertest.WithoutRace(t)
	const capacity, goods, perSecond = 10000, 1000, 100_000 / 60
	for _, tt := range []struct {
		name  string
		flood int
		reply func() *dns.Msg
	}{
		{"missing", 1_000_000, func() *dns.Msg { return nameError(5) }},
		{"existing", 400_000, func() *dns.Msg { return address("1-2-3-4.default.pod.cluster.local.", 5) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := heap()
			c := New(Options{Capacity: capacity, NegativeTTL: 5, ServeStale: time.Hour})
			m, _ := newMember(t, c)
			now := time.Now()
			names := make([]Key, goods)
			for i := range names {
				names[i] = key(fmt.Sprint("web-", i, ".default.c1.lan."))
			}
			hits, asked := 0, 0
			for i := range tt.flood {
				now = now.Add(time.Second / perSecond)
				random := key(fmt.Sprint("random-", i, ".default.c1.lan."))
				if m.Get(random) == nil {
					m.Put(random, "random.default.svc.cluster.local.", tt.reply(), now)
				}
				if i%3 != 0 {
					continue
				}
				k := names[i/3%goods]
				asked++
				if a := m.Get(k); a != nil && a.State(now) == Fresh {
					hits++
				} else {
					m.Put(k, "web.default.svc.cluster.local.", address("web.default.svc.cluster.local.", 3600), now)
				}
			}
			if part := float64(hits) / float64(asked); part < 0.99 {
				t.Errorf("%.4f of the good names' queries hit", part)
			}
			if kept := heap() - before; kept > (capacity+capacity/negativePart)*maxEntry {
				t.Errorf("%d bytes kept", kept)
			} else {
				t.Logf("%.4f hits, %d bytes kept", float64(hits)/float64(asked), kept)
			}
			runtime.KeepAlive(c)
		})
	}
}

// TestMemory is the bound that the man page gives, of answers as heavy as they get.
func TestMemory(t *testing.T) {
	long := strings.Repeat(`\001`, 62) + "."
	tests := []struct {
		name  string
		reply *dns.Msg
	}{
		{"one address", address("web.default.svc.cluster.local.", 60)},
		{"many addresses", func() *dns.Msg {
			m := address("web.default.svc.cluster.local.", 60)
			for len(m.Answer) < 400 {
				m.Answer = append(m.Answer, m.Answer[0])
			}
			return m
		}()},
		{"many empty strings", func() *dns.Msg {
			m := address("web.default.svc.cluster.local.", 60)
			m.Answer = append(m.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: "a.", Rrtype: dns.TypeTXT, Ttl: 5}, Txt: make([]string, 200)})
			return m
		}()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := heap()
			c := New(Options{Capacity: 5000})
			m, _ := newMember(t, c)
			now := time.Now()
			for i := range 6000 {
				m.Put(key(fmt.Sprint(i, ".", long, long, "lan.")), fmt.Sprint(i, ".", long, long), tt.reply.Copy(), now)
			}
			each := (heap() - before) / int64(c.kinds[Positive].used)
			if each > maxEntry {
				t.Errorf("%d bytes for each", each)
			}
			t.Logf("%d bytes for each", each)
			runtime.KeepAlive(c)
		})
	}
}

// TestShrink: a member that was flooded and left its room to others doesn't keep
// its maps.
func TestShrink(t *testing.T) {
	c := New(Options{Capacity: 10000})
	before := heap()
	now := time.Now()
	for range 20 {
		m, _ := newMember(t, c)
		for i := range 10500 {
			m.Put(key(fmt.Sprint(i, ".lan.")), "web.", address("web.", 60), now)
		}
		m.sweep(Positive, now.Add(time.Hour))
	}
	if kept := heap() - before; kept > 4<<20 { // of the names that were evicted
		t.Errorf("%d bytes kept", kept)
	}
	runtime.KeepAlive(c)
}

// TestRefresh: one flight at a time for all who ask, its reply in the answer's
// place, and another try after one that failed.
func TestRefresh(t *testing.T) {
	c := New(Options{Capacity: 10, NegativeTTL: 5, ServeStale: time.Minute})
	m, _ := newMember(t, c)
	k := key("web.lan.")
	m.Put(k, "web.", address("web.", 1), time.Now().Add(-time.Second))
	a := m.Get(k)
	answers, asked := make(chan *dns.Msg), atomic.Int64{}
	ask := func(context.Context) (*dns.Msg, error) {
		asked.Add(1)
		if reply := <-answers; reply != nil {
			return reply, nil
		}
		return nil, errors.New("unreachable")
	}
	f := m.Refresh(k, a, ask)
	if f.Wait(time.Now()) || m.Refresh(k, a, ask) != f {
		t.Error("not one flight for all")
	}
	answers <- nil
	if !f.Wait(time.Now().Add(time.Minute)) {
		t.Fatal("not over")
	}
	if _, err := f.Reply(); err == nil {
		t.Error("no failure")
	}
	second := m.Refresh(k, a, ask)
	if second == f {
		t.Fatal("no other try")
	}
	answers <- address("web.", 60)
	if !second.Wait(time.Now().Add(time.Minute)) || m.Refresh(k, a, ask) != second || asked.Load() != 2 {
		t.Error("asked again")
	}
	if got := m.Get(k); got == a || got.State(time.Now()) != Fresh {
		t.Error("not kept")
	}
	if reply, err := second.Reply(); err != nil || reply.Answer[0].Header().Ttl != 60 {
		t.Errorf("%v, %v", reply, err)
	}
}

// TestClose: it ends what is under way, and waits for it.
func TestClose(t *testing.T) {
	c := New(Options{Capacity: 10, ServeStale: time.Minute})
	m, _ := newMember(t, c)
	k := key("web.lan.")
	m.Put(k, "web.", address("web.", 1), time.Now().Add(-time.Second))
	a := m.Get(k)
	var ended atomic.Bool
	f := m.Refresh(k, a, func(ctx context.Context) (*dns.Msg, error) {
		<-ctx.Done()
		ended.Store(true)
		return nil, ctx.Err()
	})
	m.Close()
	if !ended.Load() || !f.Wait(time.Now()) {
		t.Error("still under way")
	}
	if m.Refresh(k, a, nil) != nil {
		t.Error("a flight after Close")
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	c := New(Options{Capacity: 200, NegativeTTL: 5, ServeStale: time.Minute})
	var members []*Member
	var all []*tallies
	for range 3 {
		m, tallies := newMember(t, c)
		members, all = append(members, m), append(all, tallies)
	}
	replies := []*dns.Msg{address("web.", 1), address("web.", 60), nameError(60), reply(t, 0, "an web. 5 IN A 10.101.0.1", "an web. 5 IN A 10.101.0.2")}
	var askers sync.WaitGroup
	for n := range 8 {
		askers.Go(func() {
			for i := range 5000 {
				m, k := members[(n+i)%len(members)], key(fmt.Sprint(i*(n+1)%500, ".lan."))
				now := time.Now().Add(time.Duration(i) * time.Second)
				a := m.Get(k)
				if a == nil {
					m.Put(k, "web.", replies[i%len(replies)].Copy(), now)
					continue
				}
				spoil(a.Message(now))
				if a.State(now) != Fresh || a.Due(now) {
					if f := m.Refresh(k, a, func(context.Context) (*dns.Msg, error) { return replies[n%len(replies)], nil }); f.Wait(time.Now().Add(time.Minute)) {
						got, _ := f.Reply()
						spoil(got)
					}
				}
				if i == 4000 && n == 0 {
					members[0].Drop()
				}
			}
		})
	}
	askers.Wait()
	for _, m := range members {
		m.Close()
	}
	for kind := range Kinds {
		if b := c.kinds[kind]; b.used != 0 || b.holders != 0 {
			t.Errorf("used %d by %d", b.used, b.holders)
		}
		for _, tallies := range all {
			if n := tallies.entries(kind); n != 0 {
				t.Errorf("%d entries", n)
			}
		}
	}
}

// TestHitAllocs is the budget of a hit: the message, its question and its record are
// one piece of memory; with more records, three.
func TestHitAllocs(t *testing.T) {
	m, _ := newMember(t, New(Options{Capacity: 10}))
	now := time.Now()
	several := address("several.", 60)
	for range 3 {
		several.Answer = append(several.Answer, several.Answer[0])
	}
	for _, tt := range []struct {
		reply *dns.Msg
		want  float64
	}{{address("one.", 60), 1}, {several, 3}} {
		q := tt.reply.Copy()
		m.Put(KeyOf(q), "web.", tt.reply, now)
		if n := testing.AllocsPerRun(1000, func() { m.Get(KeyOf(q)).Message(now) }); n > tt.want {
			t.Errorf("%s: %v allocations, want %v at most", q.Question[0].Name, n, tt.want)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	m, _ := newMember(b, New(Options{Capacity: 10000}))
	now := time.Now()
	queries := make([]*dns.Msg, 10000)
	for i := range queries {
		queries[i] = address(fmt.Sprint("web-", i, ".default.c1.lan."), 3600)
		m.Put(KeyOf(queries[i]), "web.", queries[i], now)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			m.Get(KeyOf(queries[i%len(queries)])).Message(now)
		}
	})
}
