package clusterset

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dnstap"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	p, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	limitLibraries()
	if err := p.start(); err != nil {
		return plugin.Error(pluginName, err)
	}
	config := dnsserver.GetConfig(c)
	p.addresses.hosts = config.ListenHosts // bind comes before, in CoreDNS's order
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		p.Next, p.resolver.HasNext = next, next != nil
		return p
	})
	c.OnStartup(p.startStatus)
	c.OnStartup(p.wait)
	c.OnStartup(func() error {
		if tap, ok := config.Handler("dnstap").(*dnstap.Dnstap); ok {
			p.addTap(tap)
		}
		return nil
	})
	c.OnShutdown(p.shutdown)
	c.OnRestartFailed(stopStarting)
	return nil
}

// parse reads the server block's one stanza.
func parse(c *caddy.Controller) (*Clusterset, error) {
	var p *Clusterset
	for c.Next() {
		if p != nil {
			return nil, plugin.ErrOnce
		}
		p = &Clusterset{options: defaultOptions(), generation: generation.Load()}
		p.zones = plugin.OriginsFromArgsOrServerBlock(c.RemainingArgs(), c.ServerBlockKeys)
		if err := parseBlock(c, &p.options); err != nil {
			return nil, err
		}
	}
	if slices.Contains(p.zones, ".") {
		return nil, c.Errf("zone .: every name would be a cluster's; give a cluster zone, as lan")
	}
	if text := p.wrongZones(); text != "" {
		return nil, c.Err(text)
	}
	return p, nil
}

// wrongZones returns what is wrong with the zones, or "".
func (p *Clusterset) wrongZones() string {
	for _, zone := range p.options.multicluster {
		switch {
		case query.IsReverse(zone):
			return fmt.Sprintf("multicluster: '%s': a reverse zone, which has no names over the ClusterSet; give one as clusterset.local", zone)
		case !slices.Contains(p.zones, zone):
			return fmt.Sprintf("multicluster: '%s': not one of the zones of this stanza: %s", zone, strings.Join(p.zones, " "))
		}
	}
	isClusterset := func(zone string) bool { return slices.Contains(p.options.multicluster, zone) }
	isCluster := func(zone string) bool { return !query.IsReverse(zone) && !isClusterset(zone) }
	switch {
	case slices.ContainsFunc(p.zones, isCluster):
		return ""
	case !slices.ContainsFunc(p.zones, isClusterset):
		return "no zone but reverse ones; give a cluster zone, as lan"
	case slices.ContainsFunc(p.zones, query.IsReverse):
		return "a reverse zone, and no cluster zone that has the names of its addresses; give one, as lan"
	}
	return ""
}

// directives are the options of the stanza: one function each, which takes the
// arguments and gives what they should have been, "" when they are right.
var directives = map[string]func(o *options, args []string) (want string){
	"configmap":      (*options).setConfigMap,
	"file":           (*options).setFile,
	"kubeconfig":     (*options).setKubeconfig,
	"local":          (*options).setLocal,
	"mode":           (*options).setMode,
	"multicluster":   (*options).setMulticluster,
	"exports":        (*options).setExports,
	"affinity":       (*options).setAffinity,
	"ttl":            (*options).setTTL,
	"negative_ttl":   (*options).setNegativeTTL,
	"cache":          (*options).setCache,
	"serve_stale":    (*options).setServeStale,
	"timeout":        (*options).setTimeout,
	"hedge":          (*options).setHedge,
	"max_concurrent": (*options).setMaxConcurrent,
	"address_guard":  (*options).setAddressGuard,
	"status":         (*options).setStatus,
	"fallthrough":    (*options).setFallthrough,
}

func parseBlock(c *caddy.Controller, o *options) error {
	given := make(map[string]bool)
	for c.NextBlock() {
		name := c.Val()
		set, known := directives[name]
		if !known {
			return c.Errf("unknown property '%s'", name)
		}
		if given[name] {
			return c.Errf("%s: given twice", name)
		}
		given[name] = true
		args := c.RemainingArgs()
		if want := set(o, args); want != "" {
			return c.Errf("%s: '%s': takes %s", name, strings.Join(args, " "), want)
		}
	}
	if text := clash(o, given); text != "" {
		return c.Err(text)
	}
	if given["affinity"] && !given["multicluster"] {
		return c.Err("affinity: not without multicluster, whose names it is for")
	}
	return nil
}

// clash returns which options don't go together, or "": what would have no effect is said
// so, rather than passed over.
func clash(o *options, given map[string]bool) string {
	const asksNobody = ": not with mode resolve, which asks no member's DNS"
	forward, resolve := o.mode == model.ModeForward, o.mode == model.ModeResolve
	for _, c := range []struct {
		clash bool
		text  string
	}{
		{given["configmap"] && given["file"], "configmap and file: one of them"},
		{forward && o.exportsMarked, "exports marked: not with mode forward, which doesn't know what is exported"},
		{forward && given["ttl"], "ttl: not with mode forward, which answers nothing from data"},
		{resolve && given["cache"], "cache" + asksNobody},
		{resolve && given["hedge"], "hedge" + asksNobody},
		{resolve && given["max_concurrent"], "max_concurrent" + asksNobody},
		{forward && o.cache == 0 && given["serve_stale"] && o.serveStale > 0, "serve_stale: not with mode forward and cache 0, which have nothing to serve"},
	} {
		if c.clash {
			return c.text
		}
	}
	return ""
}

func (o *options) setConfigMap(args []string) string {
	const want = "[[NAMESPACE/]NAME]"
	switch len(args) {
	case 0:
		return ""
	case 1:
		namespace, name, ok := strings.Cut(args[0], "/")
		if !ok {
			namespace, name = o.configMap.Namespace, args[0]
		}
		if namespace == "" || name == "" || strings.Contains(name, "/") {
			return want
		}
		o.configMap = model.ObjectName{Namespace: namespace, Name: name}
		return ""
	}
	return want
}

func (o *options) setFile(args []string) string {
	if len(args) != 1 || args[0] == "" {
		return "PATH"
	}
	o.file = args[0]
	return ""
}

func (o *options) setKubeconfig(args []string) string {
	if len(args) < 1 || len(args) > 2 {
		return "KUBECONFIG [CONTEXT]"
	}
	o.kubeconfig = args[0]
	if len(args) == 2 {
		o.context = args[1]
	}
	return ""
}

func (o *options) setLocal(args []string) string {
	if len(args) != 1 || args[0] == "" {
		return "CLUSTER"
	}
	o.local = strings.ToLower(args[0])
	return ""
}

func (o *options) setMode(args []string) string {
	const want = "auto, forward or resolve"
	if len(args) != 1 {
		return want
	}
	m, known := model.Modes[args[0]]
	if !known {
		return want
	}
	o.mode = m
	return ""
}

func (o *options) setExports(args []string) string {
	if len(args) != 1 || (args[0] != "all" && args[0] != "marked") {
		return "all or marked"
	}
	o.exportsMarked = args[0] == "marked"
	return ""
}

func (o *options) setMulticluster(args []string) string {
	if len(args) == 0 {
		return "ZONE..., of the zones of this stanza"
	}
	o.multicluster = plugin.OriginsFromArgsOrServerBlock(args, nil)
	return ""
}

func (o *options) setAffinity(args []string) string {
	const want = "none, local, nearest or remote"
	if len(args) != 1 {
		return want
	}
	affinity, known := model.Affinities[args[0]]
	if !known {
		return want
	}
	o.affinity = affinity
	return ""
}

func (o *options) setTTL(args []string) string { return setSeconds(&o.ttl, args) }

func (o *options) setNegativeTTL(args []string) string { return setSeconds(&o.negativeTTL, args) }

// maxTTL bounds TTLs as CoreDNS's kubernetes plugin does.
const maxTTL = 3600

func setSeconds(ttl *uint32, args []string) string {
	seconds, ok := oneNumber(args)
	if !ok || seconds > maxTTL {
		return fmt.Sprintf("SECONDS, 0 to %d", maxTTL)
	}
	*ttl = uint32(seconds)
	return ""
}

// maxCache bounds the cache at what no machine's memory would hold.
const maxCache = 10_000_000

func (o *options) setCache(args []string) string {
	if len(args) == 0 {
		return ""
	}
	capacity, ok := oneNumber(args)
	if !ok || capacity > maxCache {
		return fmt.Sprintf("[CAPACITY], 0 to %d; 0 is off", maxCache)
	}
	o.cache = int(capacity)
	return ""
}

func (o *options) setServeStale(args []string) string {
	const want = "[DURATION], as 1h; 0 is off"
	switch len(args) {
	case 0:
		o.serveStale = defaultServeStale
		return ""
	case 1:
		d, err := time.ParseDuration(args[0])
		if err != nil || d < 0 {
			return want
		}
		o.serveStale = d
		return ""
	}
	return want
}

func (o *options) setTimeout(args []string) string {
	const want = "DURATION, 10ms to 1m, as 2s"
	if len(args) != 1 {
		return want
	}
	d, err := time.ParseDuration(args[0])
	if err != nil || d < 10*time.Millisecond || d > time.Minute {
		return want
	}
	o.timeout = d
	return ""
}

func (o *options) setHedge(args []string) string {
	const want = "auto, off or DURATION, 1ms to 1m, as 50ms"
	if len(args) != 1 {
		return want
	}
	switch args[0] {
	case "auto":
		o.hedging = exchange.Hedging{}
		return ""
	case "off":
		o.hedging = exchange.Hedging{Off: true}
		return ""
	}
	d, err := time.ParseDuration(args[0])
	if err != nil || d < time.Millisecond || d > time.Minute {
		return want
	}
	o.hedging = exchange.Hedging{After: d}
	return ""
}

func (o *options) setMaxConcurrent(args []string) string {
	bound, ok := oneNumber(args)
	if !ok {
		return "MAX, a whole number; 0 is no bound"
	}
	o.maxConcurrent = int64(bound)
	return ""
}

func (o *options) setAddressGuard(args []string) string {
	if len(args) != 1 || (args[0] != "on" && args[0] != "off") {
		return "on or off"
	}
	o.addressGuard = args[0] == "on"
	return ""
}

func (o *options) setStatus(args []string) string {
	const want = "[ADDRESS], an IP address and a port, as 127.0.0.1:9154, or :9154 for all addresses"
	switch len(args) {
	case 0:
		o.status = defaultStatus
		return ""
	case 1:
		host, port, err := net.SplitHostPort(args[0])
		if err != nil {
			return want
		}
		if _, err := netip.ParseAddr(host); host != "" && err != nil {
			return want
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return want
		}
		o.status = args[0]
		return ""
	}
	return want
}

func (o *options) setFallthrough(args []string) string {
	o.fall.SetZonesFromArgs(args)
	return ""
}

func oneNumber(args []string) (uint64, bool) {
	if len(args) != 1 {
		return 0, false
	}
	n, err := strconv.ParseUint(args[0], 10, 31)
	return n, err == nil
}
