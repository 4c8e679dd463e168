package query

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Source has one member's records, whether they come from its data or from what its DNS
// answered. A question about several members takes Records of each.
type Source interface {
	// Records returns the records of a name.
	Records(n *Name, f *Form) Records
	// Pointers returns the PTR records of an address. f.Domain is the zone of their
	// targets.
	Pointers(addr netip.Addr, f *Form) Records
}

// Data is the Source of a member's data.
type Data struct{ *model.Data }

// Records implements Source.
func (d Data) Records(n *Name, f *Form) Records { return n.Records(d.Data, f) }

// Pointers implements Source.
func (d Data) Pointers(addr netip.Addr, f *Form) Records { return Pointers(d.Data, addr, f) }

// Records are one member's answer to a question.
type Records struct {
	// Exists is false where the name doesn't exist: NXDOMAIN.
	Exists bool
	Answer []dns.RR
	Extra  []dns.RR
}

// Form is how records are written.
type Form struct {
	// Owner is the question's name, Type its type.
	Owner string
	Type  uint16
	// Domain is the member's own domain, which ExternalNames may point into.
	Domain string
	TTL    uint32
}

// Records answers a name from a member's data as CoreDNS's kubernetes plugin does with
// pods disabled: that plugin is the oracle (test/oracle). The apexes, name servers and the
// version aren't in the data.
func (n *Name) Records(d *model.Data, f *Form) Records {
	w := wanted{}
	switch n.Kind {
	case Service:
		w.key = folded(n.labels())
	case Endpoint, Port:
		w = n.wanted()
	case Protocol:
		w, f = n.wanted(), &Form{} // an empty non-terminal has no records
	default:
		return Records{Exists: n.isBranch(d)}
	}
	s := d.Service(w.key)
	if s == nil || s.Type == model.NoService || !d.HasNamespace(w.key[strings.IndexByte(w.key, '.')+1:]) {
		return Records{}
	}
	switch {
	case s.Type == model.External:
		return w.external(n, s, f)
	case f.Type == dns.TypeA, f.Type == dns.TypeAAAA:
		return w.addresses(s, f)
	case f.Type == dns.TypeSRV:
		return w.srv(n, s, f)
	}
	return Records{Exists: w.exists(s)}
}

// isBranch reports whether the name is an empty non-terminal.
func (n *Name) isBranch(d *model.Data) bool {
	switch n.Kind {
	case ClusterApex, ClusterBranch:
		return true
	case Branch:
		return !n.IsPod() && d.HasNamespace(folded(n.labels()))
	}
	return false
}

// Key returns the key of the Service that the name belongs to, "" for other names.
func (n *Name) Key() string {
	switch n.Kind {
	case Service, Endpoint, Protocol, Port:
		return n.wanted().key
	}
	return ""
}

// wanted is what a name asks of a Service: all of it, one endpoint, or a port.
type wanted struct {
	key string
	// Each of these is "" where any will do.
	endpoint, port, protocol string
}

// wanted parses the labels before "svc". What is escaped in them is in no name of the
// data's.
func (n *Name) wanted() (w wanted) {
	labels := n.labels()
	switch n.Kind {
	case Endpoint:
		w.endpoint, labels, _ = strings.Cut(labels, ".")
	case Protocol:
		_, labels, _ = strings.Cut(labels, ".")
	case Port: // with or without underscores, as in the oracle
		w.port, labels, _ = strings.Cut(labels, ".")
		w.protocol, labels, _ = strings.Cut(labels, ".")
		w.port, w.protocol = strings.TrimPrefix(w.port, "_"), strings.TrimPrefix(w.protocol, "_")
	}
	w.key = folded(labels)
	return w
}

// folded returns s in lower case. Most are, which costs nothing.
func folded(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

// external returns an ExternalName's CNAME. A target in the member's own domain is renamed
// to its zone here, in the data's case; one that is the name asked, or below it, leads
// nowhere.
func (w *wanted) external(n *Name, s *model.Service, f *Form) Records {
	if w.endpoint != "" || w.port != "" || w.protocol != "" {
		return Records{}
	}
	if _, err := netip.ParseAddr(s.ExternalName); err == nil || s.ExternalName == "" {
		return Records{}
	}
	r := Records{Exists: true}
	switch f.Type {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
	default:
		return r
	}
	target := dns.Fqdn(s.ExternalName)
	if InZone(target, f.Domain) {
		target = target[:len(target)-len(f.Domain)] + strings.ToLower(n.Suffix)
	}
	if isName(target) && (f.Type == dns.TypeCNAME || !InZone(target, s.Key+"."+labelService+"."+n.Suffix)) {
		r.Answer = []dns.RR{&dns.CNAME{Hdr: f.header(f.Owner, dns.TypeCNAME), Target: target}}
	}
	return r
}

func (f *Form) header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: f.TTL}
}

// byEndpoint reports whether the name stands for endpoints, not for cluster IPs.
func (w *wanted) byEndpoint(s *model.Service) bool {
	return s.Type == model.Headless || w.endpoint != ""
}

// exists reports whether there is anything of what is wanted.
func (w *wanted) exists(s *model.Service) bool {
	if !w.byEndpoint(s) {
		return w.countPorts(s.Ports) > 0
	}
	for _, slice := range s.Slices {
		if w.countPorts(slice.Ports) == 0 {
			continue
		}
		for i := range slice.Endpoints {
			if w.is(&slice.Endpoints[i]) {
				return true
			}
		}
	}
	return false
}

// countPorts returns how many of the ports are wanted.
func (w *wanted) countPorts(ports []model.Port) int {
	if w.port == "" && w.protocol == "" {
		return len(ports)
	}
	count := 0
	for i := range ports {
		if w.matches(&ports[i]) {
			count++
		}
	}
	return count
}

// matches reports whether the port is wanted.
func (w *wanted) matches(p *model.Port) bool {
	return (w.port == "" || equalFold(w.port, p.Name)) && (w.protocol == "" || equalFold(w.protocol, p.Protocol))
}

// is reports whether the endpoint is wanted.
func (w *wanted) is(e *model.Endpoint) bool {
	return w.endpoint == "" || equalFold(w.endpoint, EndpointName(e))
}

// EndpointName returns the label of an endpoint: its hostname, else its address with
// dashes, as CoreDNS's kubernetes plugin writes it.
func EndpointName(e *model.Endpoint) string {
	if e.Hostname != "" {
		return e.Hostname
	}
	if e.Addr.Is4() {
		return strings.ReplaceAll(e.Addr.String(), ".", "-")
	}
	name := strings.ReplaceAll(e.Addr.String(), ":", "-")
	if strings.HasSuffix(name, "-") { // no label ends in a dash
		name += "0"
	}
	return name
}
