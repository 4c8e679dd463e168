package query

import (
	"iter"
	"math"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// ParseClusterset parses qname, which ends in a clusterset zone of zoneLen bytes, as the
// Multi-Cluster Services API has it (KEP-1645, specification.md). Of an Endpoint, Cluster is
// the member's name; no other kind has one. It allocates nothing.
func ParseClusterset(qname string, zoneLen int) Name {
	cut := len(qname) - zoneLen
	n := Name{Suffix: qname[cut:], Prefix: qname[:cut], overSet: true}
	if n.Prefix == "" {
		n.Kind = ZoneApex
		return n
	}
	n.labels = n.Prefix[:cut-1]
	var starts [maxSetLabels]int // of the labels
	count := 0
	for start := 0; start < len(n.labels); count++ {
		if count == len(starts) {
			return n
		}
		starts[count] = start
		start += labelEnd(n.labels[start:]) + 1
	}
	last := n.labels[starts[count-1]:]
	switch {
	case equalFold(last, labelService):
		n.labels = n.labels[:max(starts[count-1]-1, 0)]
		n.parseService(starts[:count-1])
	case count == 1 && equalFold(last, labelVersion):
		n.Kind = Version
	case count == 1 && equalFold(last, nameServersBranch):
		n.Kind = ZoneBranch
	case equalFold(n.labels, nameServer):
		n.Kind = ZoneNameServer
	}
	return n
}

// maxSetLabels is how many labels a name has before its zone at the most: those of
// HOST.CLUSTER.SVC.NS.svc, with a member's name of two labels.
const maxSetLabels = 4 + MaxClusterLabels

// labelEnd returns where the first label ends: RFC 1035, section 5.1.
func labelEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '.':
			return i
		}
	}
	return len(s)
}

// parseService sets what the labels before "svc" stand for, which begin there.
// CLUSTER.SVC.NS doesn't exist: KEP-1645.
func (n *Name) parseService(starts []int) {
	switch len(starts) {
	case 0:
		n.Kind = ClusterBranch
	case 1:
		n.Kind = Branch
	case 2:
		n.Kind = Service
	case 3:
		if isProtocol(n.labels[:starts[1]-1]) {
			n.Kind = Protocol
		}
	default:
		if n.labels[0] == '_' || n.labels[starts[1]] == '_' {
			if len(starts) == 4 {
				n.Kind = Port
			}
			return
		}
		n.Kind, n.Cluster = Endpoint, n.labels[starts[1]:starts[len(starts)-2]-1]
	}
}

// Part is what one member adds to the answer of a name over the whole ClusterSet.
type Part struct {
	// Cluster is the member's name, "" for a Service that has cluster set IPs.
	Cluster string
	Service *model.Service
	// Instead are addresses that stand for the Service's and its endpoints', nil where these
	// do.
	Instead []netip.Addr
	// Hostnames are names of load balancers whose addresses aren't known, beside Instead.
	Hostnames []string
}

// byEndpoint reports whether the part is of endpoints: of a headless Service, in its slices.
func (p *Part) byEndpoint() bool { return p.Service.Type == model.Headless }

// Addresses returns the addresses of all that the part has, without duplicates. A Service
// without ports has its cluster IPs all the same: KEP-1645 asks for no port.
func (p *Part) Addresses() []netip.Addr {
	switch {
	case p.Instead != nil:
		return p.Instead
	case !p.byEndpoint():
		return p.Service.ClusterIPs
	}
	w := wanted{}
	found, _ := w.addresses(p.Service)
	return found
}

// SetRecords returns the records for the name of parts: those that answer it.
func (n *Name) SetRecords(parts []*Part, f *Form) Records {
	w, ofAddresses := n.wanted(f.Type), f.Type == dns.TypeA || f.Type == dns.TypeAAAA
	switch {
	case n.Kind == Service && ofAddresses:
		var all []netip.Addr
		for _, p := range parts {
			all = append(all, p.Addresses()...)
		}
		return AddressRecords(Unique(all), f)
	case n.Kind != Protocol && ofAddresses:
		all, exists := w.setAddresses(parts)
		return Records{Exists: exists, Answer: f.addressRecords(Unique(all))}
	}
	l := srvList{form: *f, targets: make(map[srvKey]bool), addresses: make(map[srvAddress]bool), weight: w.weightOf(parts)}
	service := w.key + "." + labelService + "." + n.Suffix
	for _, p := range parts {
		w.add(&l, p, service)
	}
	if f.Type == dns.TypeSRV && n.Kind != Protocol {
		return l.Records
	}
	return Records{Exists: l.Exists}
}

// setAddresses returns the addresses of the endpoint, or of the Services with the port, that is
// wanted, and whether there is one.
func (w *wanted) setAddresses(parts []*Part) (all []netip.Addr, exists bool) {
	for _, p := range parts {
		switch {
		case p.byEndpoint():
			for _, e := range w.endpoints(p) {
				all, exists = append(all, p.addressesOf(e)...), true
			}
		case w.endpoint == "" && w.countPorts(p.Service.Ports) > 0:
			all, exists = append(all, p.Addresses()...), true
		}
	}
	return all, exists
}

// endpoints returns those of a headless Service that are wanted, each with its slice.
func (w *wanted) endpoints(p *Part) iter.Seq2[*model.Slice, *model.Endpoint] {
	return func(yield func(*model.Slice, *model.Endpoint) bool) {
		for _, slice := range p.Service.Slices {
			if w.countPorts(slice.Ports) == 0 || !w.isIn(p.clusterOf(slice)) {
				continue
			}
			for i := range slice.Endpoints {
				if e := &slice.Endpoints[i]; w.is(e) && !yield(slice, e) {
					return
				}
			}
		}
	}
}

// isIn reports whether endpoints of a member are wanted.
func (w *wanted) isIn(cluster string) bool { return w.cluster == "" || equalFold(w.cluster, cluster) }

// clusterOf returns the name of the member that has the slice's endpoints.
func (p *Part) clusterOf(slice *model.Slice) string {
	if slice.Cluster != "" {
		return slice.Cluster
	}
	return p.Cluster
}

// AddressRecords returns the records of those addresses, of a name that exists.
func AddressRecords(addresses []netip.Addr, f *Form) Records {
	return Records{Exists: true, Answer: f.addressRecords(addresses)}
}

// Alias returns a CNAME that leads to a name.
func (f *Form) Alias(target string) dns.RR {
	return &dns.CNAME{Hdr: f.header(f.Owner, dns.TypeCNAME), Target: target}
}

// weightOf divides 100 evenly among all that is wanted.
func (w *wanted) weightOf(parts []*Part) uint16 {
	count := 0
	for _, p := range parts {
		count += w.count(p)
	}
	if count == 0 {
		return 1
	}
	return uint16(max(1, math.Floor(100/float64(count))))
}

// count returns how many records of the part are wanted.
func (w *wanted) count(p *Part) int {
	switch {
	case p.byEndpoint():
		count := 0
		for slice := range w.endpoints(p) {
			count += w.countPorts(slice.Ports)
		}
		return count
	case p.Instead != nil:
		return w.countPorts(p.Service.Ports) * (len(p.Instead) + len(p.Hostnames))
	}
	return w.countPorts(p.Service.Ports) * len(p.Service.ClusterIPs)
}

// add adds what is wanted of a part: of a ClusterIP Service one record for each port, whose
// target is the Service's name; of a headless one, one for each port and endpoint.
func (w *wanted) add(l *srvList, p *Part, service string) {
	if !p.byEndpoint() {
		w.addService(l, p, service)
		return
	}
	for slice, e := range w.endpoints(p) {
		l.Exists = true
		if cluster := p.clusterOf(slice); cluster != "" { // else it has no name
			w.addEndpoint(l, slice, endpointName(e)+"."+cluster+"."+service, p.addressesOf(e))
		}
	}
}

// addService adds a ClusterIP Service, by its own name or those of its load balancers: a target
// is no alias (RFC 2782).
func (w *wanted) addService(l *srvList, p *Part, service string) {
	for i := range p.Service.Ports {
		port := &p.Service.Ports[i]
		if w.endpoint != "" || !w.matches(port) {
			continue
		}
		l.Exists = true
		for _, addr := range p.Addresses() {
			l.add(service, port, addr)
		}
		for _, name := range p.Hostnames {
			l.addTarget(name, port)
		}
	}
}

// addressesOf returns the addresses to give for an endpoint.
func (p *Part) addressesOf(e *model.Endpoint) []netip.Addr {
	if p.Instead != nil {
		return p.Instead
	}
	return []netip.Addr{e.Addr}
}

func (w *wanted) addEndpoint(l *srvList, slice *model.Slice, target string, addresses []netip.Addr) {
	for i := range slice.Ports {
		if !w.matches(&slice.Ports[i]) {
			continue
		}
		for _, addr := range addresses {
			l.add(target, &slice.Ports[i], addr)
		}
	}
}

// SetKey returns the Key of the Service that a name under a clusterset zone belongs to, ""
// for other names.
func (n *Name) SetKey() string {
	if n.Kind == Service { // most are
		return strings.ToLower(n.labels)
	}
	return n.Key()
}
