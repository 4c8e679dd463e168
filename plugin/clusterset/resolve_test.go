package clusterset

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// view is a member's data as a test gives them.
type view struct{ now member.View }

func (v *view) View() *member.View      { return &v.now }
func (v *view) Synced() <-chan struct{} { return nil }
func (v *view) Status() status.Data     { return status.Data{} }
func (v *view) Release()                {}

var errAPI = errors.New("API unreachable")

// webData has a Service of one cluster IP, and one whose endpoint can't be the
// member's own.
func webData() *model.Data {
	c := model.NewData().Change()
	port := []model.Port{{Name: "http", Protocol: "TCP", Number: 80}}
	c.SetNamespace("default")
	c.SetService(model.Service{Key: "web.default", Type: model.ClusterIP, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.101.1.1")}, Ports: port})
	c.SetService(model.Service{Key: "liar.default", Type: model.Headless, Ports: port})
	c.SetSlice(&model.Slice{Key: "default/liar-1", Service: "liar.default", Ports: port, Endpoints: []model.Endpoint{{Addr: netip.MustParseAddr("127.0.0.1")}}})
	return c.Done(time.Unix(42, 0))
}

// newResolver is the plugin with one member, c1, whose DNS is at upstream.
func newResolver(tb testing.TB, m model.Mode, v *view, upstream string) *Clusterset {
	tb.Helper()
	o := defaultOptions()
	o.mode, o.timeout = m, inTime
	p := &Clusterset{zones: []string{"lan.", "10.in-addr.arpa."}, options: o}
	p.addresses.hosts = []string{"127.77.0.1"}
	p.resolver.Options = p.forResolver()
	c := &model.Cluster{
		Name: "c1", ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.101.0.0/16")}, ClusterDomain: "cluster.local.",
		DNS: []model.Upstream{{Scheme: model.DNS, Addr: netip.MustParseAddrPort(upstream)}},
	}
	metrics := acquireSeries(c.Name)
	client := exchange.New(c, exchange.Options{Timeout: o.timeout, Metrics: metrics.exchange, Changed: func(model.Upstream, error) {}})
	tb.Cleanup(func() {
		client.Close()
		metrics.Release()
	})
	one := &members.Member{Cluster: c, Client: client, Metrics: metrics}
	if v != nil {
		one.Data = v
	}
	p.resolver.SetMembers(members.NewSet(&model.ClusterSet{Clusters: []*model.Cluster{c}}, map[string]*members.Member{c.Name: one}, ""))
	return p
}

// asked is the reply to a question, with the server's rcode when it wrote none.
func asked(tb testing.TB, p *Clusterset, name string, qtype uint16) *dns.Msg {
	tb.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	q.SetEdns0(1232, false)
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	code, _ := p.ServeDNS(context.Background(), w, q)
	if w.Msg == nil {
		w.Msg = new(dns.Msg)
		w.Msg.Rcode = code
	}
	return w.Msg
}

// summary is the rcode of a reply, its first record's data with the TTL, and its
// extended error's code.
func summary(m *dns.Msg) string {
	text := dns.RcodeToString[m.Rcode]
	if len(m.Answer) > 0 {
		fields := strings.Fields(m.Answer[0].String())
		text += " " + fields[1] + " " + strings.Join(fields[4:], " ")
	}
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				text += " " + dns.ExtendedErrorCodeToString[e.InfoCode]
			}
		}
	}
	return text
}

// TestResolve is which source answers.
func TestResolve(t *testing.T) {
	alive := clustertest.Serve(t, clustertest.Zone(t, `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
web.default.svc.cluster.local. 5 IN A 10.101.9.9
1-2-3-4.default.pod.cluster.local. 5 IN A 10.101.9.8`)).Addr.String()
	dead := clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure)).Addr.String()
	fresh := &view{member.View{Data: webData(), State: member.Fresh}}
	stale := &view{member.View{Data: webData(), State: member.Stale, Since: time.Now(), Err: errAPI}}
	expired := &view{member.View{Data: webData(), State: member.Stale, Since: time.Now().Add(-2 * time.Hour), Err: errAPI}}
	unsynced := &view{member.View{Data: model.NewData(), State: member.Unsynced, Err: errAPI}}
	const web, missing, pod = "web.default.c1.lan.", "missing.default.c1.lan.", "1-2-3-4.default.pod.c1.lan."
	tests := []struct {
		name, upstream string
		mode           model.Mode
		view           *view
		qname          string
		want           string
	}{
		{"fresh data", alive, model.ModeAuto, fresh, web, "NOERROR 5 10.101.1.1"},
		{"fresh data, no such name", alive, model.ModeAuto, fresh, missing, "NXDOMAIN"},
		{"a pod's name", alive, model.ModeAuto, fresh, pod, "NOERROR 5 10.101.9.8"},
		{"stale data, DNS alive", alive, model.ModeAuto, stale, web, "NOERROR 5 10.101.9.9"},
		{"stale data, DNS dead", dead, model.ModeAuto, stale, web, "NOERROR 5 10.101.1.1 Stale Answer"},
		{"stale data, DNS dead, no such name", dead, model.ModeAuto, stale, missing, "SERVFAIL No Reachable Authority"},
		{"old data, DNS dead", dead, model.ModeAuto, expired, web, "SERVFAIL No Reachable Authority"},
		{"no data yet, DNS alive", alive, model.ModeAuto, unsynced, web, "NOERROR 5 10.101.9.9"},
		{"no data yet, DNS dead", dead, model.ModeAuto, unsynced, web, "SERVFAIL No Reachable Authority"},
		{"no kubeconfig", alive, model.ModeAuto, nil, web, "NOERROR 5 10.101.9.9"},
		{"forward", alive, model.ModeForward, fresh, web, "NOERROR 5 10.101.9.9"},
		{"resolve, fresh", dead, model.ModeResolve, fresh, web, "NOERROR 5 10.101.1.1"},
		{"resolve, a pod's name", alive, model.ModeResolve, fresh, pod, "NXDOMAIN"},
		{"resolve, stale", alive, model.ModeResolve, stale, web, "NOERROR 5 10.101.1.1 Stale Answer"},
		{"resolve, stale, no such name", alive, model.ModeResolve, stale, missing, "SERVFAIL No Reachable Authority"},
		{"resolve, old", alive, model.ModeResolve, expired, web, "SERVFAIL No Reachable Authority"},
		{"resolve, no data yet", alive, model.ModeResolve, unsynced, web, "SERVFAIL Not Ready"},
		{"resolve, no data yet, no such name", alive, model.ModeResolve, unsynced, missing, "SERVFAIL Not Ready"},
		{"resolve, no kubeconfig", alive, model.ModeResolve, nil, web, "SERVFAIL No Reachable Authority"},
		{"an address that can't be", alive, model.ModeAuto, fresh, "liar.default.c1.lan.", "SERVFAIL Filtered"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newResolver(t, tt.mode, tt.view, tt.upstream)
			if got := summary(asked(t, p, tt.qname, dns.TypeA)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestExports: what isn't exported doesn't exist, whoever would answer.
func TestExports(t *testing.T) {
	c := webData().Change()
	c.SetService(model.Service{Key: "marked.default", Marked: true, Type: model.ClusterIP, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.101.1.2")}, Ports: []model.Port{{Number: model.NoPort}}})
	c.SetService(model.Service{Key: "export.default", Type: model.ClusterIP, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.101.1.3")}, Ports: []model.Port{{Number: model.NoPort}}})
	c.SetExport("export.default", time.Unix(1, 0))
	c.OptOutNamespace("private")
	for n, s := range []model.Service{
		{Key: "cilium.default", MarkedByCilium: true}, {Key: "cilium.private", MarkedByCilium: true}, {Key: "linkerd.private"},
	} {
		s.Marked, s.Type, s.Ports = true, model.ClusterIP, []model.Port{{Number: model.NoPort}}
		s.ClusterIPs = []netip.Addr{netip.AddrFrom4([4]byte{10, 101, 2, byte(n)})}
		c.SetService(s)
	}
	d := c.Done(time.Unix(1, 0))
	alive := clustertest.Serve(t, clustertest.Zone(t, `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
web.default.svc.cluster.local. 5 IN A 10.101.9.9
marked.default.svc.cluster.local. 5 IN A 10.101.9.8
1-2-3-4.default.pod.cluster.local. 5 IN A 10.101.9.7`)).Addr.String()
	fresh := &view{member.View{Data: d, State: member.Fresh}}
	stale := &view{member.View{Data: d, State: member.Stale, Since: time.Now(), Err: errAPI}}
	unsynced := &view{member.View{Data: model.NewData(), State: member.Unsynced, Err: errAPI}}
	tests := []struct {
		view        *view
		qname, want string
	}{
		{fresh, "marked.default.c1.lan.", "NOERROR 5 10.101.1.2"},
		{fresh, "export.default.svc.c1.lan.", "NOERROR 5 10.101.1.3"},
		{fresh, "cilium.default.c1.lan.", "NOERROR 5 10.101.2.0"},
		{fresh, "cilium.private.c1.lan.", "NXDOMAIN"},
		{stale, "cilium.private.c1.lan.", "SERVFAIL No Reachable Authority"},
		{fresh, "1.2.101.10.in-addr.arpa.", "NXDOMAIN"},
		{fresh, "linkerd.private.c1.lan.", "NOERROR 5 10.101.2.2"},
		{fresh, "web.default.c1.lan.", "NXDOMAIN"},
		{fresh, "_http._tcp.web.default.c1.lan.", "NXDOMAIN"},
		{fresh, "_tcp.web.default.c1.lan.", "NXDOMAIN"},
		{fresh, "_tcp.marked.default.c1.lan.", "NOERROR"},
		{stale, "_tcp.marked.default.c1.lan.", "NOERROR"},
		{fresh, "1-2-3-4.default.pod.c1.lan.", "NXDOMAIN"},
		{fresh, "default.svc.c1.lan.", "NOERROR"},
		{fresh, "1.1.101.10.in-addr.arpa.", "NXDOMAIN"},
		{stale, "marked.default.c1.lan.", "NOERROR 5 10.101.9.8"},
		{stale, "web.default.c1.lan.", "SERVFAIL No Reachable Authority"},
		{unsynced, "marked.default.c1.lan.", "SERVFAIL Not Ready"},
		{nil, "marked.default.c1.lan.", "SERVFAIL No Reachable Authority"},
		{nil, "svc.c1.lan.", "NOERROR"},
	}
	for _, tt := range tests {
		p := newResolver(t, model.ModeAuto, tt.view, alive)
		p.resolver.ExportsMarked = true
		if got := summary(asked(t, p, tt.qname, dns.TypeA)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.qname, got, tt.want)
		}
	}
}

// TestExportsPointers: an address of several services has the names of those that are
// exported.
func TestExportsPointers(t *testing.T) {
	c := webData().Change()
	ports := []model.Port{{Number: model.NoPort}}
	for _, name := range []string{"marked", "secret"} {
		c.SetService(model.Service{Key: name + ".default", Marked: name == "marked", Type: model.Headless, Ports: ports})
		c.SetSlice(&model.Slice{Key: "default/" + name, Service: name + ".default", Ports: ports, Endpoints: []model.Endpoint{{Addr: netip.MustParseAddr("10.101.9.1")}}})
	}
	d := c.Done(time.Unix(1, 0))
	alive := clustertest.Serve(t, clustertest.Zone(t, `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
1.9.101.10.in-addr.arpa. 5 IN PTR 10-101-9-1.secret.default.svc.cluster.local.
1.9.101.10.in-addr.arpa. 5 IN PTR 10-101-9-1.MARKED.default.svc.cluster.local.
1.9.101.10.in-addr.arpa. 5 IN PTR default.svc.cluster.local.`)).Addr.String()
	for state, want := range map[member.State]string{
		member.Fresh: "NOERROR 5 10-101-9-1.marked.default.svc.c1.lan.",
		member.Stale: "NOERROR 5 10-101-9-1.MARKED.default.svc.c1.lan.",
	} {
		p := newResolver(t, model.ModeAuto, &view{member.View{Data: d, State: state, Since: time.Now(), Err: errAPI}}, alive)
		p.resolver.ExportsMarked = true
		if m := asked(t, p, "1.9.101.10.in-addr.arpa.", dns.TypePTR); summary(m) != want || len(m.Answer) != 1 {
			t.Errorf("%v: got %v, want %s", state, m, want)
		}
	}
}

// TestStaleForm: a long TTL is cut, and what isn't there of a name that is, is no
// failure: clients ask for both families.
func TestStaleForm(t *testing.T) {
	stale := &view{member.View{Data: webData(), State: member.Stale, Since: time.Now(), Err: errAPI}}
	p := newResolver(t, model.ModeResolve, stale, "127.77.0.1:53")
	p.resolver.TTL = 300
	if got := summary(asked(t, p, "web.default.c1.lan.", dns.TypeA)); got != "NOERROR 30 10.101.1.1 Stale Answer" {
		t.Error(got)
	}
	if m := asked(t, p, "web.default.c1.lan.", dns.TypeAAAA); summary(m) != "NOERROR Stale Answer" || len(m.Ns) != 1 {
		t.Error(m)
	}
	p.resolver.ServeStale = 0
	if got := summary(asked(t, p, "web.default.c1.lan.", dns.TypeA)); got != "SERVFAIL No Reachable Authority" {
		t.Error(got)
	}
}

// TestDataApexes: what isn't in the data, and PTR.
func TestDataApexes(t *testing.T) {
	p := newResolver(t, model.ModeResolve, &view{member.View{Data: webData(), State: member.Fresh}}, "127.77.0.1:53")
	tests := []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"c1.lan.", dns.TypeSOA, "NOERROR 5 ns.dns.c1.lan. hostmaster.c1.lan. 42 7200 1800 86400 5"},
		{"c1.lan.", dns.TypeNS, "NOERROR 5 ns.dns.c1.lan."},
		{"c1.lan.", dns.TypeA, "NOERROR"},
		{"ns.dns.c1.lan.", dns.TypeA, "NOERROR 5 127.77.0.1"},
		{"1.1.101.10.in-addr.arpa.", dns.TypePTR, "NOERROR 5 web.default.svc.c1.lan."},
		{"2.1.101.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
		{"1.1.101.10.in-addr.arpa.", dns.TypeA, "NOERROR"},
	}
	for _, tt := range tests {
		if got := summary(asked(t, p, tt.name, tt.qtype)); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.name, dns.TypeToString[tt.qtype], got, tt.want)
		}
	}
}

// nowhere takes replies and keeps nothing.
type nowhere struct{ *test.ResponseWriter }

func (nowhere) WriteMsg(*dns.Msg) error { return nil }

// dataAllocs is the budget of an answer from data: the query's own state, with the
// message, and the record with the list of it.
const dataAllocs = 2

func TestDataAllocs(t *testing.T) {
	p := newResolver(t, model.ModeAuto, &view{member.View{Data: webData(), State: member.Fresh}}, "127.77.0.1:53")
	q := new(dns.Msg)
	q.SetQuestion("web.default.c1.lan.", dns.TypeA)
	if n := allocsOf(p, q); n > dataAllocs {
		t.Errorf("%v allocations, want %v at most", n, dataAllocs)
	}
}

// allocsOf returns how many allocations a query takes.
func allocsOf(p *Clusterset, q *dns.Msg) float64 {
	w := nowhere{&test.ResponseWriter{}}
	ctx := context.Background()
	return testing.AllocsPerRun(1000, func() { _, _ = p.ServeDNS(ctx, w, q) })
}

func BenchmarkData(b *testing.B) {
	p := newResolver(b, model.ModeAuto, &view{member.View{Data: webData(), State: member.Fresh}}, "127.77.0.1:53")
	q := new(dns.Msg)
	q.SetQuestion("web.default.c1.lan.", dns.TypeA)
	w := nowhere{&test.ResponseWriter{}}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.ServeDNS(ctx, w, q)
	}
}
