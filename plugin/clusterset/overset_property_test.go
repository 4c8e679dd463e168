package clusterset

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// oversetNumber returns the number that the environment has by that name, or the usual one.
func oversetNumber(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return usual
	}
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(name+": ", err)
	}
	return number
}

// TestOversetProperties: whatever the members, their data and DNS, policies and services are,
// the answer obeys every rule of the model in overset_model_test.go. It tries OVERSET_ROUNDS
// worlds, from OVERSET_SEED on: some here, as each takes long with the race detector, and many
// in make e2e, without it.
func TestOversetProperties(t *testing.T) {
	first, rounds := oversetNumber(t, "OVERSET_SEED", 1), oversetNumber(t, "OVERSET_ROUNDS", 250)
	t.Logf("OVERSET_SEED=%d", first)
	servers := map[string]netip.AddrPort{
		"has": clustertest.Serve(t, hasShop).Addr, "hasn't": clustertest.Serve(t, clustertest.Rcode(dns.RcodeNameError)).Addr,
		"dead": clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure)).Addr,
	}
	seen := make(map[string]int)
	for round := range rounds {
		w := newWorld(rand.New(rand.NewPCG(first, round)))
		t.Run(strconv.FormatUint(round, 10), func(t *testing.T) { // whose end closes the world
			clustertest.Tries(t, func() error { return w.check(t, servers, seen) }) // a busy machine's replies may be late
			if t.Failed() {
				t.Logf("OVERSET_SEED=%d, round %d: %s", first, round, w)
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Log(seen)
	for _, kind := range []string{"NOERROR", "NXDOMAIN", "SERVFAIL", "stale", "weighted", "merged", "proportions"} {
		if seen[kind] < int(rounds/250) {
			t.Errorf("%d of %s", seen[kind], kind)
		}
	}
}

// hasShop is the DNS of all members that have the Service: member N, of the domain cN.test,
// has it at 10.N.9.1.
func hasShop(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(r)
	m.Authoritative = true
	q := r.Question[0]
	labels := dns.SplitDomainName(q.Name)
	number, err := strconv.ParseUint(strings.TrimPrefix(labels[max(0, len(labels)-2)], "c"), 10, 8)
	if err != nil {
		return
	}
	header := func(rrtype uint16) dns.RR_Header {
		return dns.RR_Header{Name: q.Name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: 5}
	}
	a := &dns.A{Hdr: header(dns.TypeA), A: []byte{10, byte(number), 9, 1}}
	switch q.Qtype {
	case dns.TypeA:
		m.Answer = []dns.RR{a}
	case dns.TypeSRV:
		m.Answer, m.Extra = []dns.RR{&dns.SRV{Hdr: header(dns.TypeSRV), Weight: 100, Port: 80, Target: q.Name}}, []dns.RR{a}
	}
	_ = w.WriteMsg(m) // the client may be gone
}

// newWorld returns a random world. The small numbers make what is rare alone common together.
func newWorld(r *rand.Rand) *world {
	w := &world{o: oversetOptions()}
	w.o.ttl = 3600 // no window ends in a test
	w.o.affinity = model.Affinity(1 + r.IntN(4))
	w.o.exportsMarked = r.IntN(4) == 0
	if r.IntN(3) == 0 {
		w.o.mode = model.ModeResolve
	}
	if r.IntN(5) == 0 {
		w.o.serveStale = 0
	}
	few, calm := r.IntN(3) == 0, r.IntN(6) == 0 // few members have it; all are well
	for i := range 1 + r.IntN(8) {
		s := newSite(r, i, few && !calm, w.o.mode)
		if calm {
			s.data, s.unready = "fresh", nil
		}
		w.sites = append(w.sites, s)
	}
	if i := r.IntN(10); i < len(w.sites) {
		w.local = w.sites[i].cluster.Name
	}
	if r.IntN(2) == 0 {
		w.policy = newPolicy(r, w)
	}
	return w
}

func newPolicy(r *rand.Rand, w *world) *model.Policy {
	p := &model.Policy{Services: []string{"shop/web"}, Affinity: model.Affinity(r.IntN(5))}
	weighted, listed := r.IntN(2) == 0, r.IntN(3) == 0
	for _, s := range w.sites {
		if weighted && r.IntN(3) > 0 {
			if p.Weights == nil {
				p.Weights = make(map[string]int)
			}
			p.Weights[s.cluster.Name] = r.IntN(4) * 5
		}
		if listed && r.IntN(3) == 0 {
			p.Failover = append(p.Failover, s.cluster.Name)
		}
	}
	if r.IntN(6) == 0 {
		p.Allow = []string{w.sites[0].cluster.Name}
	}
	return p
}

func newSite(r *rand.Rand, i int, few bool, mode model.Mode) *site {
	word := func(words ...string) string { return words[r.IntN(len(words))] }
	s := &site{dns: word("has", "hasn't", "dead", "hasn't"), data: word("fresh", "fresh", "fresh", "stale", "too old", "unsynced", "none")}
	if few {
		s.dns = word("dead", "hasn't", "hasn't")
	}
	s.cluster = cluster(fmt.Sprintf("c%d", i), fmt.Sprintf("10.%d.0.0/16", i), func(c *model.Cluster) {
		c.ServiceCIDRs = append(c.ServiceCIDRs, netip.MustParsePrefix(fmt.Sprintf("fd00:%x::/32", i+1)))
		c.ClusterDomain = c.Name + ".test."
		c.Network, c.Region, c.Zone = word("default", "default", "far"), word("", "a", "b"), word("", "a", "b")
		if r.IntN(8) == 0 {
			c.Namespaces = []string{word("shop", "pay-*")}
		}
		for _, g := range []string{fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("2001:db8::%x", i+1)} {
			if r.IntN(2) == 0 {
				c.Gateways = append(c.Gateways, netip.MustParseAddr(g))
			}
		}
		if (s.data == "fresh" || mode == model.ModeResolve) && r.IntN(4) == 0 { // what DNS says has no kind
			for _, k := range r.Perm(4)[:1+r.IntN(4)] {
				c.Reach = append(c.Reach, model.Reach(k))
			}
		}
	})
	if !few && r.IntN(5) > 0 || r.IntN(4) == 0 {
		s.addService(r, i)
	}
	return s
}

func (s *site) addService(r *rand.Rand, i int) {
	v4, v6 := netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), netip.MustParseAddr(fmt.Sprintf("fd00:%x::1", i+1))
	s.exported = r.IntN(6) > 0
	if r.IntN(3) > 0 {
		s.since = time.Unix(int64(1+r.IntN(3)), 0)
	}
	for k := range r.IntN(4) {
		s.ready = append(s.ready, netip.AddrFrom4([4]byte{10, byte(i), 200, byte(k)}))
	}
	for k := range max(0, r.IntN(5)-2) {
		s.unready = append(s.unready, netip.AddrFrom4([4]byte{10, byte(i), 201, byte(k)}))
	}
	if r.IntN(8) == 0 { // another member's
		s.stolen = []netip.Addr{netip.AddrFrom4([4]byte{10, 77, 0, byte(i)})}
		s.ready = append(s.ready, s.stolen...)
	}
	if r.IntN(3) == 0 {
		s.loadBalancer = []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})}
	}
	s.service = &model.Service{
		Key: "web.shop", Type: model.ClusterIP, Ports: []model.Port{{Name: "http", Protocol: "TCP", Number: 80}},
		Marked: s.exported && s.since.IsZero(), InternalLocal: r.IntN(10) == 0, ClusterIPs: []netip.Addr{v4}, Outside: &model.Outside{LoadBalancers: s.loadBalancer},
	}
	switch r.IntN(4) {
	case 0:
		s.service.CiliumAffinity = model.Affinity(r.IntN(5))
	case 1:
		s.service.Distribution = model.TrafficDistribution(r.IntN(2))
	}
	switch r.IntN(12) {
	case 0, 1, 2:
		s.service.Type, s.service.ClusterIPs = model.Headless, nil
	case 3:
		s.service.Type, s.service.ClusterIPs, s.service.ExternalName = model.External, nil, "example.org"
	case 4, 5:
		s.service.ClusterIPs = []netip.Addr{v4, v6}
	case 6:
		s.service.ClusterIPs = []netip.Addr{v6}
	case 7:
		if len(s.stolen) > 0 {
			s.service.ClusterIPs = s.stolen
		}
	}
}

// view returns the member's data.
func (s *site) view(more ...model.Service) *view {
	c := model.NewData().Change()
	c.SetNamespace("shop")
	if s.service != nil {
		c.SetService(*s.service)
		slice := &model.Slice{Key: "shop/web-1", Service: "web.shop", Ports: s.service.Ports}
		for _, a := range s.ready {
			slice.Endpoints = append(slice.Endpoints, model.Endpoint{Addr: a})
		}
		var others []model.Endpoint
		for _, a := range s.unready {
			others = append(others, model.Endpoint{Addr: a})
		}
		slice.NotReady = &others
		c.SetSlice(slice)
		if s.exported && !s.since.IsZero() {
			c.SetExport("web.shop", s.since)
		}
	}
	for _, other := range more {
		c.SetService(other)
		c.SetExport(other.Key, time.Unix(1, 0))
	}
	v := &view{member.View{Data: c.Done(time.Unix(42, 0)), State: member.Fresh}}
	switch s.data {
	case "stale":
		return v.as(member.Stale, time.Minute)
	case "too old":
		return v.as(member.Stale, 2*time.Hour)
	case "unsynced":
		return (&view{member.View{Data: model.NewData()}}).as(member.Unsynced, 0)
	case "none":
		return nil
	}
	return v
}

// plugin returns one that answers for the world.
func (w *world) plugin(t *testing.T, servers map[string]netip.AddrPort, more ...model.Service) *Clusterset {
	t.Helper()
	var parts []part
	var at []netip.AddrPort
	for _, s := range w.sites {
		parts, at = append(parts, part{s.cluster, s.view(more...), nil}), append(at, servers[s.dns])
	}
	parts = append(parts, part{cluster("thief", "10.77.0.0/16"), nothing(), nil}) // whose addresses are stolen
	at = append(at, servers["dead"])
	if len(more) > 0 {
		parts, at = append(parts, part{cluster("another", "10.78.0.0/16"), nothing(), nil}), append(at, servers["dead"])
	}
	var policies []model.Policy
	if w.policy != nil {
		policies = append(policies, *w.policy)
	}
	return newOversetAt(t, w.o, w.local, policies, parts, at)
}

// String describes the world.
func (w *world) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "local %q, %v, marked %v, stale %v, affinity %v, policy %+v", w.local, w.o.mode, w.o.exportsMarked, w.o.serveStale, w.o.affinity, w.policy)
	for _, s := range w.sites {
		c := &s.cluster
		fmt.Fprintf(&b, "\n%s: data %s, DNS %s, %s %q %q, reach %v, gateways %v, namespaces %v; ready %v of %d, exported %v %d, %+v",
			c.Name, s.data, s.dns, c.Network, c.Region, c.Zone, c.Reach, c.Gateways, c.Namespaces, s.ready, len(s.ready)+len(s.unready), s.exported, s.since.Unix(), s.service)
	}
	return b.String()
}

// given is what a client gets, over TCP: of whom, and how.
func (w *world) given(t *testing.T, p *Clusterset, client string, qtype uint16) (m *dns.Msg, members []string, err error) {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion("WEB.shop.svc.clusterset.local.", qtype)
	q.SetEdns0(1232, false)
	recorder := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: client, TCP: true})
	_, _ = p.ServeDNS(context.Background(), recorder, q) // of a SERVFAIL, the error is for the log
	if m = recorder.Msg; m == nil {
		return nil, nil, fmt.Errorf("no reply")
	}
	for _, rr := range append(slices.Clone(m.Answer), m.Extra...) {
		addr, ok := address(rr)
		if !ok {
			continue
		}
		name, err := w.ownerOf(addr)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(members, name) {
			members = append(members, name)
		}
	}
	for _, rr := range m.Answer {
		if rr.Header().Name != q.Question[0].Name {
			return nil, nil, fmt.Errorf("the answer's owner is %s", rr.Header().Name)
		}
	}
	slices.Sort(members)
	return m, members, nil
}

// ownerOf returns the member that an address is of, which is one that it may answer with.
func (w *world) ownerOf(addr netip.Addr) (string, error) {
	r := w.rules()
	for _, s := range w.sites {
		if v := w.verdict(s, &r); w.mayAnswer(&v, &r) && slices.Contains(v.addresses, addr) {
			return s.cluster.Name, nil
		}
	}
	return "", fmt.Errorf("%s is nobody's to answer with", addr)
}

// check asks for all types from some clients.
func (w *world) check(t *testing.T, servers map[string]netip.AddrPort, seen map[string]int) error {
	p := w.plugin(t, servers)
	var same [][]string
	for client := range 5 {
		from := fmt.Sprintf("192.0.2.%d", client)
		var all []string
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			m, members, err := w.given(t, p, from, qtype)
			if err == nil {
				err = w.checkRcode(m, seen)
			}
			if err != nil {
				return err
			}
			all = append(all, members...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
		if _, members, err := w.given(t, p, from, dns.TypeSRV); err != nil || !slices.Equal(members, all) && !w.isByTime() {
			return fmt.Errorf("SRV has the members %v, %w; addresses %v", members, err, all)
		}
		if err := w.checkMembers(all, seen); err != nil {
			return err
		}
		same = append(same, all)
	}
	if err := w.checkWeights(t, p, seen); err != nil {
		return err
	}
	p = w.plugin(t, servers, model.Service{Key: "other.shop", Type: model.ClusterIP, Ports: []model.Port{{Number: 80}}})
	for client, before := range same {
		_, members, err := w.given(t, p, fmt.Sprintf("192.0.2.%d", client), dns.TypeSRV)
		if err != nil || !slices.Equal(before, members) && !w.isByTime() {
			return fmt.Errorf("after an unrelated change %v, %w; before %v", members, err, before)
		}
	}
	return nil
}

// checkRcode wants NXDOMAIN only where nobody can have it, and SERVFAIL only where somebody
// may.
func (w *world) checkRcode(m *dns.Msg, seen map[string]int) error {
	groups, verdicts := w.groups()
	want, ede := "NXDOMAIN", ""
	for _, v := range verdicts {
		if v.has == "unknown" || v.has == "unreachable" {
			want, ede = "SERVFAIL", " "
		}
	}
	if len(groups) > 0 {
		want, ede = "NOERROR", ""
		if groups[0].members[0].stale {
			ede = " Stale Answer"
		}
	}
	if w.isDenied() {
		want, ede = "NXDOMAIN", " Prohibited"
		if w.local == "" {
			want = "SERVFAIL"
		}
	}
	seen[want]++
	got := answersOf(m)
	m.Answer = nil
	rcode, text, _ := strings.Cut(answersOf(m), " ")
	if rcode != want || ede == "" && text != "" || ede != "" && !strings.Contains(" "+text, ede) || ede == " " && text == "" {
		return fmt.Errorf("%s, want %s%s: %+v", got, want, ede, verdicts)
	}
	return nil
}

func (w *world) isDenied() bool {
	return w.policy != nil && w.policy.Allow != nil && !slices.Contains(w.policy.Allow, w.local)
}

// checkMembers wants the members of one priority, of the first one where that is healthy.
func (w *world) checkMembers(members []string, seen map[string]int) error {
	groups, verdicts := w.groups()
	if w.isDenied() {
		groups = nil
	}
	if len(groups) == 0 {
		if len(members) > 0 {
			return fmt.Errorf("%v answer, want nobody: %+v", members, verdicts)
		}
		return nil
	}
	if groups[0].members[0].stale {
		seen["stale"]++
	}
	if groups[0].isHealthy() {
		groups = groups[:1]
	}
	for _, g := range groups {
		if g.allows(members) {
			if len(g.members) > 1 {
				seen[map[bool]string{true: "weighted", false: "merged"}[g.oneOf]]++
			}
			return nil
		}
	}
	return fmt.Errorf("%v answer, want one of %+v", members, groups)
}

// allows reports whether a group may answer with these members. One without an address of the
// types asked for isn't seen.
func (g *group) allows(members []string) bool {
	var all []string
	hidden := false
	for _, v := range g.members {
		if len(v.addresses) == 0 {
			hidden = true
		} else {
			all = append(all, v.site.cluster.Name)
		}
	}
	isIn := func(name string) bool { return slices.Contains(all, name) }
	switch {
	case g.oneOf:
		return len(members) == 1 && isIn(members[0]) || len(members) == 0 && hidden
	case g.anyOf:
		return (len(members) > 0 || hidden) && !slices.ContainsFunc(members, func(name string) bool { return !isIn(name) })
	}
	slices.Sort(all)
	return slices.Equal(all, members)
}

// checkWeights wants clients to be sent to members in proportion to their weights, within five
// standard deviations, where those are all that counts, and nobody is asked for it.
func (w *world) checkWeights(t *testing.T, p *Clusterset, seen map[string]int) error {
	t.Helper()
	groups, _ := w.groups()
	asks := slices.ContainsFunc(w.sites, func(s *site) bool { return s.data != "fresh" && w.o.mode != model.ModeResolve })
	if asks || w.isDenied() || len(groups) == 0 || !groups[0].oneOf || len(groups[0].members) < 2 {
		return nil
	}
	sum, clients := 0, 1500.0
	for _, v := range groups[0].members {
		if v.ready < v.total || len(v.addresses) == 0 {
			return nil
		}
		sum += w.policy.Weights[v.site.cluster.Name]
	}
	if !groups[0].isHealthy() {
		return nil
	}
	got := make(map[string]float64)
	for i := range int(clients) {
		_, members, err := w.given(t, p, netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}).String(), dns.TypeSRV)
		if err != nil || len(members) != 1 {
			return fmt.Errorf("%v answer: %w", members, err)
		}
		got[members[0]]++
	}
	for _, v := range groups[0].members {
		name := v.site.cluster.Name
		share := float64(w.policy.Weights[name]) / float64(sum)
		if math.Abs(got[name]-clients*share) > 5*math.Sqrt(clients*share*(1-share)) {
			return fmt.Errorf("%s is given %v times of %v, want %v", name, got[name], clients, clients*share)
		}
	}
	seen["proportions"]++
	return nil
}
