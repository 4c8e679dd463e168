package clusterset

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// TestOptions asserts what each option sets, and nothing else.
func TestOptions(t *testing.T) {
	tests := []struct {
		block string
		set   func(*options)
	}{
		{"", func(*options) {}},
		{"configmap", func(*options) {}},
		{"configmap other", func(o *options) { o.configMap.Name = "other" }},
		{"configmap dns/other", func(o *options) { o.configMap = model.ObjectName{Namespace: "dns", Name: "other"} }},
		{"file clusterset.yaml", func(o *options) { o.file = "clusterset.yaml" }},
		{"kubeconfig /k", func(o *options) { o.kubeconfig = "/k" }},
		{"kubeconfig /k admin", func(o *options) { o.kubeconfig, o.context = "/k", "admin" }},
		{"local C1", func(o *options) { o.local = "c1" }},
		{"mode auto", func(*options) {}},
		{"mode forward", func(o *options) { o.mode = model.ModeForward }},
		{"mode resolve", func(o *options) { o.mode = model.ModeResolve }},
		{"exports all", func(*options) {}},
		{"exports marked", func(o *options) { o.exportsMarked = true }},
		{"ttl 0", func(o *options) { o.ttl = 0 }},
		{"ttl 3600", func(o *options) { o.ttl = 3600 }},
		{"cache", func(*options) {}},
		{"cache 0", func(o *options) { o.cache = 0 }},
		{"cache 50000", func(o *options) { o.cache = 50000 }},
		{"mode forward\ncache 5\nserve_stale 1h", func(o *options) { o.mode, o.cache = model.ModeForward, 5 }},
		{"mode forward\ncache 0\nserve_stale 0", func(o *options) { o.mode, o.cache, o.serveStale = model.ModeForward, 0, 0 }},
		{"mode resolve\nttl 7\nserve_stale 0", func(o *options) { o.mode, o.ttl, o.serveStale = model.ModeResolve, 7, 0 }},
		{"serve_stale", func(*options) {}},
		{"serve_stale 0", func(o *options) { o.serveStale = 0 }},
		{"serve_stale 24h", func(o *options) { o.serveStale = 24 * time.Hour }},
		{"negative_ttl 0", func(o *options) { o.negativeTTL = 0 }},
		{"negative_ttl 3600", func(o *options) { o.negativeTTL = 3600 }},
		{"status", func(o *options) { o.status = "127.0.0.1:9154" }},
		{"status :9154", func(o *options) { o.status = ":9154" }},
		{"status [::1]:80", func(o *options) { o.status = "[::1]:80" }},
		{"timeout 500ms", func(o *options) { o.timeout = 500 * time.Millisecond }},
		{"hedge auto", func(*options) {}},
		{"hedge off", func(o *options) { o.hedging = exchange.Hedging{Off: true} }},
		{"hedge 50ms", func(o *options) { o.hedging = exchange.Hedging{After: 50 * time.Millisecond} }},
		{"max_concurrent 0", func(o *options) { o.maxConcurrent = 0 }},
		{"max_concurrent 5", func(o *options) { o.maxConcurrent = 5 }},
		{"address_guard on", func(*options) {}},
		{"address_guard off", func(o *options) { o.addressGuard = false }},
		{"fallthrough", func(o *options) { o.fall.SetZonesFromArgs(nil) }},
		{"fallthrough c1.lan", func(o *options) { o.fall.SetZonesFromArgs([]string{"c1.lan"}) }},
	}
	for _, tt := range tests {
		t.Run(tt.block, func(t *testing.T) {
			p, err := parse(caddy.NewTestController("dns", "clusterset lan 10.in-addr.arpa {\n"+tt.block+"\n}"))
			if err != nil {
				t.Fatal(err)
			}
			want := defaultOptions()
			tt.set(&want)
			if diff := cmp.Diff(want, p.options, cmp.AllowUnexported(options{})); diff != "" {
				t.Error(diff)
			}
			if got := strings.Join(p.zones, " "); got != "lan. 10.in-addr.arpa." {
				t.Errorf("zones %s", got)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	tests := []struct{ stanza, want string }{
		{"clusterset 10.in-addr.arpa", "no zone but reverse ones; give a cluster zone, as lan"},
		{"clusterset .", "zone .: every name would be a cluster's; give a cluster zone, as lan"},
		{"clusterset lan\nclusterset lan", "plugin/clusterset: this plugin can only be used once per Server Block"},
		{"clusterset lan {\ncolour red\n}", "unknown property 'colour'"},
		{"clusterset lan {\nlocal a\nlocal b\n}", "local: given twice"},
		{"clusterset lan {\nconfigmap\nfile f\n}", "configmap and file: one of them"},
		{"clusterset lan {\nconfigmap a/b/c\n}", "configmap: 'a/b/c': takes [[NAMESPACE/]NAME]"},
		{"clusterset lan {\nconfigmap /b\n}", "configmap: '/b': takes [[NAMESPACE/]NAME]"},
		{"clusterset lan {\nconfigmap a b\n}", "configmap: 'a b': takes [[NAMESPACE/]NAME]"},
		{"clusterset lan {\nfile\n}", "file: '': takes PATH"},
		{"clusterset lan {\nfile a b\n}", "file: 'a b': takes PATH"},
		{"clusterset lan {\nkubeconfig\n}", "kubeconfig: '': takes KUBECONFIG [CONTEXT]"},
		{"clusterset lan {\nkubeconfig a b c\n}", "kubeconfig: 'a b c': takes KUBECONFIG [CONTEXT]"},
		{"clusterset lan {\nlocal\n}", "local: '': takes CLUSTER"},
		{"clusterset lan {\nmode Resolve\n}", "mode: 'Resolve': takes auto, forward or resolve"},
		{"clusterset lan {\nmode\n}", "mode: '': takes auto, forward or resolve"},
		{"clusterset lan {\nexports some\n}", "exports: 'some': takes all or marked"},
		{"clusterset lan {\nexports marked\nmode forward\n}", "exports marked: not with mode forward, which doesn't know what is exported"},
		{"clusterset lan {\nttl 3601\n}", "ttl: '3601': takes SECONDS, 0 to 3600"},
		{"clusterset lan {\nttl\n}", "ttl: '': takes SECONDS, 0 to 3600"},
		{"clusterset lan {\nttl 7\nmode forward\n}", "ttl: not with mode forward, which answers nothing from data"},
		{"clusterset lan {\ncache many\n}", "cache: 'many': takes [CAPACITY], 0 to 10000000; 0 is off"},
		{"clusterset lan {\ncache -1\n}", "cache: '-1': takes [CAPACITY], 0 to 10000000; 0 is off"},
		{"clusterset lan {\ncache 10000001\n}", "cache: '10000001': takes [CAPACITY], 0 to 10000000; 0 is off"},
		{"clusterset lan {\ncache 1 2\n}", "cache: '1 2': takes [CAPACITY], 0 to 10000000; 0 is off"},
		{"clusterset lan {\nmode resolve\ncache\n}", "cache: not with mode resolve, which asks no member's DNS"},
		{"clusterset lan {\nmode resolve\ncache 0\n}", "cache: not with mode resolve, which asks no member's DNS"},
		{"clusterset lan {\nmode resolve\nhedge off\n}", "hedge: not with mode resolve, which asks no member's DNS"},
		{"clusterset lan {\nmode resolve\nmax_concurrent 5\n}", "max_concurrent: not with mode resolve, which asks no member's DNS"},
		{"clusterset lan {\nmode forward\ncache 0\nserve_stale\n}", "serve_stale: not with mode forward and cache 0, which have nothing to serve"},
		{"clusterset lan {\nserve_stale 1\n}", "serve_stale: '1': takes [DURATION], as 1h; 0 is off"},
		{"clusterset lan {\nserve_stale -1h\n}", "serve_stale: '-1h': takes [DURATION], as 1h; 0 is off"},
		{"clusterset lan {\nserve_stale 1h 2h\n}", "serve_stale: '1h 2h': takes [DURATION], as 1h; 0 is off"},
		{"clusterset lan {\nnegative_ttl 3601\n}", "negative_ttl: '3601': takes SECONDS, 0 to 3600"},
		{"clusterset lan {\nnegative_ttl -1\n}", "negative_ttl: '-1': takes SECONDS, 0 to 3600"},
		{"clusterset lan {\nnegative_ttl 5s\n}", "negative_ttl: '5s': takes SECONDS, 0 to 3600"},
		{"clusterset lan {\nstatus 9154\n}", "status: '9154': takes [ADDRESS], an IP address and a port, as 127.0.0.1:9154, or :9154 for all addresses"},
		{"clusterset lan {\nstatus localhost:9154\n}", "status: 'localhost:9154': takes [ADDRESS], an IP address and a port, as 127.0.0.1:9154, or :9154 for all addresses"},
		{"clusterset lan {\nstatus 127.0.0.1:0\n}", "status: '127.0.0.1:0': takes [ADDRESS], an IP address and a port, as 127.0.0.1:9154, or :9154 for all addresses"},
		{"clusterset lan {\nstatus a b\n}", "status: 'a b': takes [ADDRESS], an IP address and a port, as 127.0.0.1:9154, or :9154 for all addresses"},
		{"clusterset lan {\ntimeout 2\n}", "timeout: '2': takes DURATION, 10ms to 1m, as 2s"},
		{"clusterset lan {\ntimeout 1ms\n}", "timeout: '1ms': takes DURATION, 10ms to 1m, as 2s"},
		{"clusterset lan {\ntimeout 2m\n}", "timeout: '2m': takes DURATION, 10ms to 1m, as 2s"},
		{"clusterset lan {\ntimeout\n}", "timeout: '': takes DURATION, 10ms to 1m, as 2s"},
		{"clusterset lan {\nhedge\n}", "hedge: '': takes auto, off or DURATION, 1ms to 1m, as 50ms"},
		{"clusterset lan {\nhedge 0\n}", "hedge: '0': takes auto, off or DURATION, 1ms to 1m, as 50ms"},
		{"clusterset lan {\nhedge soon\n}", "hedge: 'soon': takes auto, off or DURATION, 1ms to 1m, as 50ms"},
		{"clusterset lan {\nmax_concurrent many\n}", "max_concurrent: 'many': takes MAX, a whole number; 0 is no bound"},
		{"clusterset lan {\nmax_concurrent -1\n}", "max_concurrent: '-1': takes MAX, a whole number; 0 is no bound"},
		{"clusterset lan {\naddress_guard\n}", "address_guard: '': takes on or off"},
		{"clusterset lan {\naddress_guard yes\n}", "address_guard: 'yes': takes on or off"},
		{"clusterset lan {\nmulticluster\n}", "multicluster: '': takes ZONE..., of the zones of this stanza"},
		{"clusterset lan {\nmulticluster clusterset.local\n}", "multicluster: 'clusterset.local.': not one of the zones of this stanza: lan."},
		{"clusterset lan clusterset.local {\nmulticluster clusterset.local a.clusterset.local\n}", "multicluster: 'a.clusterset.local.': not one of the zones of this stanza: lan. clusterset.local."},
		{"clusterset lan 10.in-addr.arpa {\nmulticluster 10.in-addr.arpa\n}", "multicluster: '10.in-addr.arpa.': a reverse zone, which has no names over the ClusterSet; give one as clusterset.local"},
		{"clusterset clusterset.local ip6.arpa {\nmulticluster clusterset.local\n}", "a reverse zone, and no cluster zone that has the names of its addresses; give one, as lan"},
		{"clusterset lan clusterset.local {\nmulticluster clusterset.local\naffinity\n}", "affinity: '': takes none, local, nearest or remote"},
		{"clusterset lan clusterset.local {\nmulticluster clusterset.local\naffinity Local\n}", "affinity: 'Local': takes none, local, nearest or remote"},
		{"clusterset lan clusterset.local {\nmulticluster clusterset.local\naffinity local remote\n}", "affinity: 'local remote': takes none, local, nearest or remote"},
		{"clusterset lan {\naffinity nearest\n}", "affinity: not without multicluster, whose names it is for"},
	}
	for _, tt := range tests {
		t.Run(tt.stanza, func(t *testing.T) {
			_, err := parse(caddy.NewTestController("dns", tt.stanza))
			if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(tt.want, "plugin/clusterset: ")) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestMulticluster: which zones have names over the whole ClusterSet, and whom these prefer.
func TestMulticluster(t *testing.T) {
	const one = "clusterset.local."
	words := map[question.Kind]string{question.ClusterZone: "cluster", question.ReverseZone: "reverse", question.ClustersetZone: "clusterset"}
	for _, tt := range []struct {
		stanza, kinds, primary string
		affinity               model.Affinity
		multicluster           bool
	}{
		{"clusterset lan", "lan.:cluster", "lan.", model.AffinityLocal, false},
		{"clusterset lan clusterset.local {\nmulticluster clusterset.local\n}", one + ":clusterset lan.:cluster", "lan.", model.AffinityLocal, true},
		{"clusterset clusterset.local lan {\nmulticluster Clusterset.Local.\naffinity none\n}", one + ":clusterset lan.:cluster", "lan.", model.AffinityNone, true},
		{"clusterset clusterset.local {\naffinity remote\nmulticluster clusterset.local\n}", one + ":clusterset", "", model.AffinityRemote, true},
		{"clusterset a.test b.test 10.in-addr.arpa c.test {\nmulticluster a.test c.test\naffinity nearest\n}", "10.in-addr.arpa.:reverse a.test.:clusterset b.test.:cluster c.test.:clusterset", "b.test.", model.AffinityNearest, true},
		{"clusterset lan set.lan {\nmulticluster set.lan\n}", "set.lan.:clusterset lan.:cluster", "lan.", model.AffinityLocal, true},
	} {
		p, err := parse(caddy.NewTestController("dns", tt.stanza))
		if err != nil {
			t.Errorf("%s: %v", tt.stanza, err)
			continue
		}
		o := p.forResolver()
		zones, kinds := slices.Clone(p.zones), []string{}
		slices.SortStableFunc(zones, func(a, b string) int { return len(b) - len(a) })
		for _, zone := range zones {
			kinds = append(kinds, zone+":"+words[o.Zones.Find("x."+zone).Kind])
		}
		if got := strings.Join(kinds, " "); got != tt.kinds || o.Zones.Primary() != tt.primary {
			t.Errorf("%s: zones %s, the primary %s", tt.stanza, got, o.Zones.Primary())
		}
		if o.Affinity != tt.affinity || p.forMembers().Multicluster != tt.multicluster {
			t.Errorf("%s: affinity %s, multicluster %v", tt.stanza, o.Affinity, p.forMembers().Multicluster)
		}
	}
}

// TestSyntax: README.md has each option of the stanza, in its syntax and with a text.
func TestSyntax(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Syntax\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for name := range directives {
		if !regexp.MustCompile(`(?m)^    `+name+`( |$)`).MatchString(section) || !strings.Contains(section, "\n* `"+name+"` ") {
			t.Errorf("not told: %s", name)
		}
	}
}

// TestZonesOfTheBlock: without zones of its own, the stanza has the block's.
func TestZonesOfTheBlock(t *testing.T) {
	c := caddy.NewTestController("dns", "clusterset")
	c.ServerBlockKeys = []string{"lan.:53"}
	p, err := parse(c)
	if err != nil || len(p.zones) != 1 || p.zones[0] != "lan." {
		t.Errorf("zones %v, error %v", p, err)
	}
}
