package clusterset

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	golog "log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/dnstap"
	_ "github.com/coredns/coredns/plugin/log"
	"github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/test"
	_ "github.com/coredns/coredns/plugin/trace"

	tap "github.com/dnstap/golang-dnstap"
	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// observeBound is how soon what a query leaves behind must be seen: dnstap
// flushes once a second.
const observeBound = inTime

// logged is what CoreDNS logs, each entry whole.
type logged chan string

// captureLog takes the log until the test's end.
func captureLog(t *testing.T) logged {
	t.Helper()
	lines := make(logged, 10000)
	was := golog.Writer()
	golog.SetOutput(lines)
	t.Cleanup(func() { golog.SetOutput(was) })
	return lines
}

func (l logged) Write(p []byte) (int, error) {
	l <- strings.TrimSuffix(string(p), "\n")
	return len(p), nil
}

// wait gives the next entry that has text in it, from there on.
func (l logged) wait(t *testing.T, text string) string {
	t.Helper()
	end := time.After(observeBound)
	for {
		select {
		case line := <-l:
			if at := strings.Index(line, text); at >= 0 {
				return line[at:]
			}
		case <-end:
			t.Fatalf("not logged: %s", text)
		}
	}
}

// TestMetadata: what the log plugin, in front, can say of each query.
func TestMetadata(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	set := clusterAt("here", member, "") + clusterAt("c1", member, "") + clusterAt("c2.eu", "tcp://"+member, "") +
		clusterAt("dead", closed.Addr.String(), "") + "- {name: c3, serviceCIDRs: [10.103.0.0/19], dns: [\"" + member + "\"]}\n"
	lines := captureLog(t)
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		metadata
		log . "seen {name} {rcode} cluster={/clusterset/cluster} source={/clusterset/source} upstream={/clusterset/upstream}"
		clusterset lan in-addr.arpa {
			file `+document(t, set)+`
			local here
		}
		file testdata/c1.zone cluster.local
		whoami
	}`)
	tests := []struct {
		name, qname string
		qtype       uint16
		want        string
	}{
		{"forwarded", "web.default.c1.lan.", dns.TypeA, "NOERROR cluster=c1 source=forward upstream=" + member},
		{"over another transport", "web.default.c2.eu.lan.", dns.TypeA, "NOERROR cluster=c2.eu source=forward upstream=tcp://" + member},
		{"no such name", "nope.default.c1.lan.", dns.TypeA, "NXDOMAIN cluster=c1 source=forward upstream=" + member},
		{"no such type", "web.default.c1.lan.", dns.TypeTXT, "NOERROR cluster=c1 source=forward upstream=" + member},
		{"no reply", "web.default.dead.lan.", dns.TypeA, "SERVFAIL cluster=dead source=forward upstream=-"},
		{"an address", "1.0.103.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN cluster=c3 source=forward upstream=" + member},
		{"local", "web.default.here.lan.", dns.TypeA, "NOERROR cluster=here source=local upstream=-"},
		{"local, its target another's", "far.default.here.lan.", dns.TypeA, "NOERROR cluster=here source=local upstream=-"},
		{"the zone", "lan.", dns.TypeSOA, "NOERROR cluster=- source=zone upstream=-"},
		{"the version", "dns-version.c1.lan.", dns.TypeTXT, "NOERROR cluster=c1 source=zone upstream=-"},
		{"no name of the grammar", "a.10-51-0-7.default.pod.c1.lan.", dns.TypeA, "NXDOMAIN cluster=c1 source=zone upstream=-"},
		{"unknown cluster", "web.default.c9.lan.", dns.TypeA, "NXDOMAIN cluster=- source=zone upstream=-"},
		{"not ours", "www.example.org.", dns.TypeA, "NOERROR cluster=- source=- upstream=-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lookup(t, s.addr, "udp", tt.qname, tt.qtype)
			prefix := "seen " + tt.qname + " "
			if got := lines.wait(t, prefix); got != prefix+tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestMetadataNotReady: before there is a ClusterSet nobody is asked, and says so.
func TestMetadataNotReady(t *testing.T) {
	p := &Clusterset{zones: []string{"lan.", "10.in-addr.arpa."}, options: defaultOptions()}
	p.resolver.Options = p.forResolver()
	for qname, qtype := range map[string]uint16{"web.default.c1.lan.": dns.TypeA, "lan.": dns.TypeSOA, "1.0.101.10.in-addr.arpa.": dns.TypePTR} {
		m := new(dns.Msg)
		m.SetQuestion(qname, qtype)
		ctx := metadata.ContextWithMetadata(t.Context())
		_, err := p.ServeDNS(ctx, &test.ResponseWriter{}, m)
		if source := metadata.ValueFunc(ctx, labelSource); source == nil || source() != "zone" || !errors.Is(err, resolver.ErrNotReady) {
			t.Errorf("%s: not zone, or %v", qname, err)
		}
	}
}

// TestMetadataRefused: nor is anybody asked what was forwarded too often.
func TestMetadataRefused(t *testing.T) {
	silent := clustertest.Serve(t, clustertest.Silence)
	p := newResolver(t, model.ModeForward, nil, silent.Addr.String())
	m := new(dns.Msg)
	m.SetQuestion("web.default.c1.lan.", dns.TypeA)
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: hopsOption, Data: []byte{maxHops}}}
	ctx := metadata.ContextWithMetadata(t.Context())
	before := testutil.ToFloat64(responses.WithLabelValues("c1", "zone", "REFUSED"))
	if code, _ := p.ServeDNS(ctx, &test.ResponseWriter{}, m); code != dns.RcodeRefused {
		t.Errorf("code %d", code)
	}
	if source := metadata.ValueFunc(ctx, labelSource); source == nil || source() != "zone" {
		t.Error("source isn't zone")
	}
	if n := testutil.ToFloat64(responses.WithLabelValues("c1", "zone", "REFUSED")); n != before+1 {
		t.Errorf("counted %v times", n-before)
	}
}

// tapped gives the forwarder messages that CoreDNS sends to a dnstap listener.
func tapped(t *testing.T, network, address string) (addr string, messages chan *tap.Dnstap) {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	messages = make(chan *tap.Dnstap, 100)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		reader, err := tap.NewReader(conn, &tap.ReaderOptions{Bidirectional: true})
		if err != nil {
			return
		}
		decoder := tap.NewDecoder(reader, 64<<10)
		for {
			m := new(tap.Dnstap)
			if decoder.Decode(m) != nil {
				return
			}
			switch m.Message.GetType() {
			case tap.Message_FORWARDER_QUERY, tap.Message_FORWARDER_RESPONSE:
				messages <- m
			}
		}
	}()
	return listener.Addr().String(), messages
}

func nextTapped(t *testing.T, messages chan *tap.Dnstap) *tap.Dnstap {
	t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(observeBound):
		t.Fatal("no dnstap message")
		return nil
	}
}

// tapPort is an address of a dnstap message.
func tapPort(ip []byte, port uint32) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr, uint16(port))
}

// TestDnstap: each attempt is a query, and where there is a reply, a response,
// between the socket it left from and the upstream, in the member's words; for
// each of several taps.
func TestDnstap(t *testing.T) {
	clients := make(chan netip.AddrPort, 10)
	zone := clustertest.Zone(t, memberZone)
	member := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		clients <- netip.MustParseAddrPort(w.RemoteAddr().String())
		zone(w, r)
	})
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	addr, full := tapped(t, "tcp", "127.77.0.1:0")
	path, brief := tapped(t, "unix", filepath.Join(t.TempDir(), "tap"))
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		metadata
		dnstap tcp://`+addr+` full
		dnstap `+path+` {
			extra "{/clusterset/cluster}"
		}
		clusterset lan {
			file `+document(t, clusterAt("dead", closed.Addr.String(), "")+clusterAt("c1", member.Addr.String(), ""))+`
			cache 0
		}
	}`)
	const asked = "web.default.svc.cluster.local."
	steps := []struct {
		cluster, network string
		upstream         netip.AddrPort
		protocol         tap.SocketProtocol
		types            []tap.Message_Type
	}{
		{"dead", "udp", closed.Addr, tap.SocketProtocol_UDP, []tap.Message_Type{tap.Message_FORWARDER_QUERY}},
		{"c1", "udp", member.Addr, tap.SocketProtocol_UDP, []tap.Message_Type{tap.Message_FORWARDER_QUERY, tap.Message_FORWARDER_RESPONSE}},
		{"c1", "tcp", member.Addr, tap.SocketProtocol_TCP, []tap.Message_Type{tap.Message_FORWARDER_QUERY, tap.Message_FORWARDER_RESPONSE}},
	}
	for _, step := range steps {
		lookup(t, s.addr, step.network, "web.default."+step.cluster+".lan.", dns.TypeA)
	}
	for _, step := range steps {
		var client netip.AddrPort
		if len(step.types) == 2 {
			client = <-clients
		}
		for _, kind := range step.types {
			d := nextTapped(t, full)
			m := d.Message
			if m.GetType() != kind || m.GetSocketProtocol() != step.protocol || m.GetSocketFamily() != tap.SocketFamily_INET ||
				tapPort(m.ResponseAddress, m.GetResponsePort()) != step.upstream {
				t.Errorf("%s over %s: %v, want %v to %v", step.cluster, step.network, m, kind, step.upstream)
			}
			if client.IsValid() && tapPort(m.QueryAddress, m.GetQueryPort()) != client {
				t.Errorf("%s over %s: from %v, want %v", step.cluster, step.network, tapPort(m.QueryAddress, m.GetQueryPort()), client)
			}
			raw, other := m.QueryMessage, m.ResponseMessage
			if kind == tap.Message_FORWARDER_RESPONSE {
				raw, other = other, raw
				if m.GetResponseTimeSec() < m.GetQueryTimeSec() || m.QueryTimeSec == nil {
					t.Errorf("asked at %d, replied at %d", m.GetQueryTimeSec(), m.GetResponseTimeSec())
				}
			}
			packet := new(dns.Msg)
			if err := packet.Unpack(raw); err != nil || other != nil || packet.Question[0].Name != asked {
				t.Errorf("%s over %s: %v, %v", step.cluster, step.network, packet, err)
			}
			if answered := len(packet.Answer) == 1; answered != (kind == tap.Message_FORWARDER_RESPONSE) {
				t.Errorf("%s over %s: %v", step.cluster, step.network, packet)
			}
			d = nextTapped(t, brief)
			if m := d.Message; m.GetType() != kind || m.QueryMessage != nil || m.ResponseMessage != nil || string(d.Extra) != step.cluster {
				t.Errorf("the second tap: %v, extra %q", m, d.Extra)
			}
		}
	}
}

// span is a span in Zipkin's form, version 2 of its API.
type span struct {
	TraceID, ID, ParentID, Name string
	Duration                    int64 // microseconds
	Tags                        map[string]string
}

// zipkin collects spans, and gives its endpoint.
func zipkin(t *testing.T) (endpoint string, spans chan span) {
	t.Helper()
	spans = make(chan span, 1000)
	listener, err := net.Listen("tcp", "127.77.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch []span
		if json.NewDecoder(r.Body).Decode(&batch) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, s := range batch {
			spans <- s
		}
		w.WriteHeader(http.StatusAccepted)
	})}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String() + "/api/v2/spans", spans
}

// spansOf waits for the spans of one query: the last of them is "servedns".
func spansOf(t *testing.T, spans chan span) []span {
	t.Helper()
	var all []span
	end := time.After(observeBound)
	for {
		select {
		case s := <-spans:
			all = append(all, s)
			if s.Name == "servedns" {
				return all
			}
		case <-end:
			t.Fatalf("no span of a whole query; %v", all)
		}
	}
}

// TestTrace: each attempt is a span, as long as it took, and tells of an error.
func TestTrace(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	silent := clustertest.Serve(t, clustertest.Silence).Addr.String()
	endpoint, spans := zipkin(t)
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		trace zipkin `+endpoint+` {
			zipkin_max_batch_interval 10ms
		}
		clusterset lan {
			file `+document(t, clusterAt("c1", member, "")+clusterAt("slow", silent, "")+
		clusterAt("half", closed.Addr.String()+`", "`+member, ""))+`
			timeout 300ms
			cache 0
		}
	}`)
	tests := []struct {
		name, qname string
		connects    map[string]bool // peer.address and whether it failed
		least       time.Duration
	}{
		{"an answer", "web.default.c1.lan.", map[string]bool{member: false}, 0},
		{"no reply", "web.default.slow.lan.", map[string]bool{silent: true}, 290 * time.Millisecond},
		{"nobody asked", "dns-version.c1.lan.", map[string]bool{}, 0},
		// the turns of both upstreams, until the dead one is first
		{"the second one's", "web.default.half.lan.", map[string]bool{closed.Addr.String(): true, member: false}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var connects map[string]bool
			for range 2 {
				lookup(t, s.addr, "udp", tt.qname, dns.TypeA)
				connects = checkSpans(t, spansOf(t, spans), tt.least)
				if cmp.Equal(connects, tt.connects) {
					return
				}
			}
			t.Errorf("%v, want %v", connects, tt.connects)
		})
	}
}

// checkSpans gives the attempts, and whether they failed.
func checkSpans(t *testing.T, all []span, least time.Duration) map[string]bool {
	t.Helper()
	byID := make(map[string]span)
	for _, s := range all {
		byID[s.ID] = s
	}
	connects := make(map[string]bool)
	for _, s := range all {
		if s.Name != "connect" {
			continue
		}
		connects[s.Tags["peer.address"]] = s.Tags["error"] == "true"
		if parent := byID[s.ParentID].Name; parent != pluginName || s.TraceID != all[len(all)-1].TraceID {
			t.Errorf("a child of %q in trace %s", parent, s.TraceID)
		}
		if took := time.Duration(s.Duration) * time.Microsecond; took < least || took > least+time.Second {
			t.Errorf("%v long, want %v", took, least)
		}
	}
	return connects
}

// TestErrors: what the errors plugin logs names the member, its upstreams and the
// reason, in one line.
func TestErrors(t *testing.T) {
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	silent := clustertest.Serve(t, clustertest.Silence).Addr.String()
	failing := clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure)).Addr.String()
	refusing := clustertest.Serve(t, clustertest.Rcode(dns.RcodeRefused)).Addr.String()
	foreign := clustertest.Serve(t, fixed("127.0.0.1")).Addr.String()
	lines := captureLog(t)
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		errors
		clusterset lan {
			file `+document(t, clusterAt("closed", closed.Addr.String(), "")+clusterAt("silent", silent, "")+
		clusterAt("failing", failing, "")+clusterAt("refusing", refusing, "")+clusterAt("foreign", foreign, "")+
		clusterAt("tcp", "tcp://"+closed.Addr.String(), "")+clusterAt("tls", "tls://"+closed.Addr.String(), "")+
		clusterAt("both", failing+`", "`+refusing, "")+clusterAt("keyless", "tls://"+closed.Addr.String(), ", tls: {caFile: /nowhere}"))+`
			timeout 300ms
		}
	}`)
	tests := []struct{ member, want string }{
		{"closed", closed.Addr.String() + ": connection refused"},
		{"silent", silent + ": no reply"},
		{"failing", failing + ": answered SERVFAIL"},
		{"refusing", refusing + ": answered REFUSED"},
		{"foreign", "every address it gave is outside its CIDRs or another's"},
		{"tcp", "tcp://" + closed.Addr.String() + ": connection refused"},
		{"tls", "tls://" + closed.Addr.String() + ": connection refused"},
		{"both", refusing + ": answered REFUSED; " + failing + ": answered SERVFAIL"},
		{"keyless", "open /nowhere: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.member, func(t *testing.T) {
			qname := "web.default." + tt.member + ".lan."
			lookup(t, s.addr, "udp", qname, dns.TypeA)
			got := lines.wait(t, "[ERROR] plugin/errors")
			if want := "[ERROR] plugin/errors: 0 " + qname + " A: member " + tt.member + ": " + tt.want; got != want {
				t.Errorf("%s; want %s", got, want)
			}
		})
	}
}

// readmeMetrics are the metrics of README.md and their labels, and the section.
func readmeMetrics(t *testing.T) (metrics map[string][]string, section string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ = strings.Cut(string(text), "\n## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	metrics = make(map[string][]string)
	for _, m := range regexp.MustCompile("(?m)^\\* `(coredns_clusterset_\\w+)(?:\\{(.*?)\\})?`").FindAllStringSubmatch(section, -1) {
		metrics[m[1]] = strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
		slices.Sort(metrics[m[1]])
	}
	return metrics, section
}

// scraped reads the plugin's metrics as a Prometheus does: the labels of each,
// and the words that each label has.
func scraped(t *testing.T, addr string) (metrics map[string][]string, words map[string][]string) {
	t.Helper()
	response, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	metrics, words = make(map[string][]string), make(map[string][]string)
	family := ""
	sample := regexp.MustCompile(`(\w+)="([^"]*)"`)
	lines := bufio.NewScanner(io.LimitReader(response.Body, 10<<20))
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "# TYPE "); ok {
			family, _, _ = strings.Cut(name, " ")
			continue
		}
		if !strings.HasPrefix(lines.Text(), "coredns_clusterset_") {
			continue
		}
		labels := []string{}
		for _, label := range sample.FindAllStringSubmatch(lines.Text(), -1) {
			if label[1] == "le" { // a histogram's bucket
				continue
			}
			labels = append(labels, label[1])
			if !slices.Contains(words[label[1]], label[2]) {
				words[label[1]] = append(words[label[1]], label[2])
			}
		}
		slices.Sort(labels)
		if before, ok := metrics[family]; ok && !slices.Equal(before, labels) {
			t.Errorf("%s has labels %v and %v", family, before, labels)
		}
		metrics[family] = labels
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return metrics, words
}

// TestMetrics: README.md lists the metrics there are, with their labels and
// words; they are named as Prometheus and CoreDNS want it; and no label is a name
// that was asked, or an address that the ClusterSet doesn't have.
func TestMetrics(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	addr := freeAddress(t, "127.77.0.1")
	clusters := clusterAt("here", member, "") + clusterAt("c1", member, "")
	path := document(t, clusters)
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		prometheus `+addr+`
		clusterset lan clusterset.local {
			file `+path+`
			local here
			multicluster clusterset.local
		}
		file testdata/c1.zone cluster.local
	}`)
	// The start would wait for the data of a member whose API is never there.
	writeDocument(t, path, clusters+clusterAt("watched", member, ", kubeconfig: {file: /missing}")+clusterAt("probed", member, ", probe: tcp://"+addr))
	eventually(t, inTime, "series of a member whose data are watched", func() bool {
		got, _ := scraped(t, addr)
		return got["coredns_clusterset_data_state"] != nil
	})
	for _, name := range []string{"web.default.here.lan.", "web.default.c1.lan.", "web.default.c1.lan.", "dns-version.c1.lan.", "web.default.svc.clusterset.local."} {
		lookup(t, s.addr, "udp", name, dns.TypeA)
	}
	want, readme := readmeMetrics(t)
	got, words := scraped(t, addr)
	if len(want) == 0 {
		t.Fatal("README.md lists none")
	}
	opts := cmp.Transformer("none", func(labels []string) string { return strings.Join(labels, ",") })
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("README.md, and what is exported:\n%s", diff)
	}
	for label := range words {
		if !slices.Contains([]string{"cluster", "upstream", "source", "rcode", "reason", "state", "type"}, label) {
			t.Errorf("label %s", label)
		}
	}
	for label, all := range map[string][]string{
		"source": {"cache", "forward", "local", "zone"},
		"reason": {"bad_kubeconfig", "bad_reply", "canceled", "forbidden", "local", "no_reply", "other_question", "out_of_resources", "replaced", "server_error", "timeout", "tls", "too_large", "too_short", "unauthorized", "unknown_id", "unreachable", "watch_silent"},
		"state":  {"down", "ejected", "fresh", "stale", "unsynced", "up"},
		"type":   {"denial", "success"},
	} {
		for _, word := range all {
			if !slices.Contains(words[label], word) {
				t.Errorf("%s is %v, want %s too", label, words[label], word)
			}
		}
		for _, word := range words[label] { // other tests' members too, which are drained
			if !strings.Contains(readme, "`"+word+"`") {
				t.Errorf("README.md doesn't tell of %s %s", label, word)
			}
		}
	}
	for why := selection.Alike; why <= selection.SpillOver; why++ {
		if !strings.Contains(readme, "`"+choiceWord(why)+"`") {
			t.Errorf("README.md doesn't tell of reason %s", choiceWord(why))
		}
	}
	names := make([]string, 0, len(got))
	for name := range got {
		names = append(names, name)
	}
	if problems, err := testutil.GatherAndLint(prometheus.DefaultGatherer, names...); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
