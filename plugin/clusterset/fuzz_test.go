package clusterset

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// How a fuzzed query is sent: bits.
const (
	fuzzEDNS = 1 << iota
	fuzzDO
	fuzzTCP
	fuzzCD
	fuzzFromCache // the reply is kept, and answered from
)

// FuzzReply takes what a member's DNS says, and what a stranger's says of the name that
// its CNAME leads to, both as they come in a message, and looks for what the rules
// forbid in what the client gets. The client's question is the reply's, under the
// cluster zone; config is one of fuzzSets.
func FuzzReply(f *testing.F) {
	var plugins []*fuzzed
	for _, s := range fuzzSets {
		plugins = append(plugins, newFuzzed(f, s))
	}
	f.Fuzz(func(t *testing.T, reply, stranger []byte, config, flags uint8) {
		p := plugins[int(config)%len(plugins)]
		m := new(dns.Msg)
		if m.Unpack(reply) != nil || len(m.Question) != 1 || m.Question[0].Qclass != dns.ClassINET {
			return
		}
		if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError { // no answer
			return
		}
		r := p.question(m.Question[0], flags)
		if r == nil {
			return
		}
		p.stranger.reply = nil
		if led := new(dns.Msg); led.Unpack(stranger) == nil && len(led.Question) == 1 {
			p.stranger.reply = led
		}
		done := p.answer(r, m, flags)
		if done != nil {
			p.check(t, r, done)
		}
	})
}

// fuzzSets are the ClusterSets, of which c1 replies, with the local member.
var fuzzSets = []struct {
	local    string
	clusters []*model.Cluster
}{
	{"", []*model.Cluster{fuzzCluster("c1", ""), fuzzCluster("c2", "")}},
	{"c2", []*model.Cluster{fuzzCluster("c1", "10.51.0.0/16"), fuzzCluster("c2", "")}},
	{"c2", []*model.Cluster{inNetwork("far", fuzzCluster("c1", "")), fuzzCluster("c2", "")}},
	{"", []*model.Cluster{called("c1.lan.", fuzzCluster("c1", "")), fuzzCluster("c2", "")}},
}

// fuzzCluster has the services 10.10N.0.0/16 and the gateway 203.0.113.N.
func fuzzCluster(name, pods string) *model.Cluster {
	n := name[1:]
	c := &model.Cluster{
		Name:          name,
		ServiceCIDRs:  []netip.Prefix{netip.MustParsePrefix("10.10" + n + ".0.0/16"), netip.MustParsePrefix("fd00:10" + n + "::/64")},
		ClusterDomain: "cluster.local.",
		Network:       "default",
		Gateways:      []netip.Addr{netip.MustParseAddr("203.0.113." + n), netip.MustParseAddr("2001:db8::" + n)},
		DNS:           []model.Upstream{{Scheme: model.DNS, Addr: netip.MustParseAddrPort("127.0.0.1:1")}},
	}
	if pods != "" {
		c.PodCIDRs = []netip.Prefix{netip.MustParsePrefix(pods)}
	}
	return c
}

func inNetwork(network string, c *model.Cluster) *model.Cluster {
	c.Network = network
	return c
}

func called(domain string, c *model.Cluster) *model.Cluster {
	c.ClusterDomain = domain
	return c
}

// fuzzed is the plugin with a member whose replies are made up, in a server whose other
// plugin is a stranger's.
type fuzzed struct {
	*Clusterset
	server   *dnsserver.Server
	cache    *answercache.Cache
	stranger *stranger
}

// stranger answers for the names that aren't ours.
type stranger struct {
	reply *dns.Msg
	asked bool
}

func (*stranger) Name() string { return "stranger" }

// ServeDNS gives the reply, of whatever name is asked for.
func (s *stranger) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	s.asked = true
	if s.reply == nil {
		return dns.RcodeServerFailure, nil
	}
	m := s.reply.Copy()
	of := m.Question[0].Name
	m.SetReply(r)
	m.Rcode = s.reply.Rcode & 0xF
	for _, rr := range m.Answer {
		if strings.EqualFold(rr.Header().Name, of) {
			rr.Header().Name = r.Question[0].Name
		}
	}
	return m.Rcode, w.WriteMsg(m)
}

func newFuzzed(tb testing.TB, set struct {
	local    string
	clusters []*model.Cluster
}) *fuzzed {
	tb.Helper()
	p := &fuzzed{Clusterset: &Clusterset{zones: []string{"lan.", "10.in-addr.arpa.", "ip6.arpa."}, options: defaultOptions()}, stranger: new(stranger)}
	p.options.mode, p.options.local = model.ModeForward, set.local
	p.Next = p.stranger
	p.resolver.Options = p.forResolver()
	p.cache = answercache.New(answercache.Options{Capacity: 1000, NegativeTTL: p.options.negativeTTL, ServeStale: p.options.serveStale})
	p.manager = members.NewManager(p.forMembers())
	p.manager.SetClusterSet(&model.ClusterSet{Clusters: set.clusters})
	config := &dnsserver.Config{Zone: ".", Transport: "dns", ListenHosts: []string{""}, Port: "0", Debug: true} // so that panics are seen
	config.AddPlugin(func(plugin.Handler) plugin.Handler { return p.Clusterset })
	server, err := dnsserver.NewServer("dns://127.0.0.1:0", []*dnsserver.Config{config})
	if err != nil {
		tb.Fatal(err)
	}
	p.server = server
	return p
}

// question is the client's for what the member was asked, nil where that can't be.
func (p *fuzzed) question(member dns.Question, flags uint8) *dns.Msg {
	name, domain := member.Name, p.resolver.Members().Member("c1").ClusterDomain
	if query.InZone(name, domain) {
		name = name[:len(name)-len(domain)] + "c1.lan."
	}
	if len(name) > 253 || member.Qtype == dns.TypeAXFR || member.Qtype == dns.TypeIXFR || member.Qtype == dns.TypeOPT {
		return nil
	}
	r := new(dns.Msg)
	r.SetQuestion(name, member.Qtype)
	r.CheckingDisabled = flags&fuzzCD != 0
	if flags&fuzzEDNS != 0 {
		r.SetEdns0(1232, flags&fuzzDO != 0)
	}
	return r
}

// answer is ServeDNS with the member's reply in the place of asking for it. It is nil
// where the member isn't asked, or the server makes the reply.
func (p *fuzzed) answer(r, reply *dns.Msg, flags uint8) *dns.Msg {
	w := &test.ResponseWriter{TCP: flags&fuzzTCP != 0}
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, p.server)
	zone := p.resolver.Zones.Find(r.Question[0].Name)
	if zone == nil {
		return nil
	}
	q := &client{plugin: p.Clusterset, ctx: ctx, state: request.Request{W: w, Req: r}}
	p.resolver.ReadQuestion(&q.question, r, zone, q)
	m := q.question.Member
	if m == nil || m.Name != "c1" || q.question.Zone.Kind == question.ClusterZone && q.question.Parsed.Kind < query.Branch {
		return nil
	}
	p.stranger.asked = false
	asked := r.Question[0].Name
	if !q.question.Addr.IsValid() {
		asked = q.question.Parsed.MemberName(m.ClusterDomain)
	}
	reply.Id, reply.Question[0].Name = 0, asked
	query.Clean(reply)
	var res *question.Resolution
	if flags&fuzzFromCache == 0 {
		res = p.resolver.Answer(ctx, &q.question, asked, reply)
	} else {
		m.Answers = p.cache.Member(m.Metrics.Cache()) // empty
		defer m.Answers.Close()
		m.Answers.Put(answercache.KeyOf(r), asked, reply, time.Now())
		if kept := m.Answers.Get(answercache.KeyOf(r)); kept == nil || kept.State(time.Now()) != answercache.Fresh {
			return nil
		}
		res = p.resolver.Resolve(ctx, &q.question)
	}
	if res.Action != question.Reply {
		return nil
	}
	return q.message(res)
}

// FuzzQuery takes a query as it comes in a message. Nobody is asked: what there is to
// say is said from data.
func FuzzQuery(f *testing.F) {
	p := newResolver(f, model.ModeResolve, &view{member.View{Data: webData(), State: member.Fresh}}, "127.0.0.1:1")
	p.resolver.Zones = question.NewZones(append(p.zones, "ip6.arpa."), nil)
	f.Fuzz(func(t *testing.T, packet []byte, tcp bool) {
		r := new(dns.Msg)
		if r.Unpack(packet) != nil {
			return
		}
		w := &answered{ResponseWriter: test.ResponseWriter{TCP: tcp}}
		rcode, _ := p.ServeDNS(context.Background(), w, r.Copy())
		if w.reply == nil {
			if !plugin.ClientWrite(rcode) && rcode >= 0 && rcode <= 0xFFF {
				return // the server replies with that
			}
			t.Fatalf("no reply, and %d", rcode)
		}
		checkReply(t, r, w.reply)
	})
}

// answered keeps what is written.
type answered struct {
	test.ResponseWriter
	reply *dns.Msg
}

func (w *answered) WriteMsg(m *dns.Msg) error {
	w.reply = m
	return nil
}
