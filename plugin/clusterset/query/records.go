package query

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Records are what a member's data say to a question.
type Records struct {
	// Exists is false where there is no such name, so that the reply is NXDOMAIN.
	Exists bool
	Answer []dns.RR
	Extra  []dns.RR
}

// Form is what records are made with.
type Form struct {
	// Owner is the question's name, Type its type.
	Owner string
	Type  uint16
	// Domain is the member's own domain, whose names ExternalNames may lead to.
	Domain string
	TTL    uint32
}

// Records answers a name from a member's data as CoreDNS's kubernetes plugin
// does, with pods disabled: that plugin is the oracle (test/oracle). The apexes,
// name servers and the version aren't in the data.
func (n *Name) Records(d *model.Data, f *Form) Records {
	switch n.Kind {
	case ClusterApex, ClusterBranch:
		return Records{Exists: true}
	case Branch:
		return Records{Exists: n.hasBranch(d)}
	case Service, Endpoint, Protocol, Port:
		w := n.wanted()
		s := d.Service(w.key)
		if s == nil || !d.HasNamespace(w.namespace()) {
			return Records{}
		}
		if n.Kind == Protocol { // as there is anything below it
			return Records{Exists: w.records(n, s, &Form{Type: dns.TypeA}).Exists}
		}
		return w.records(n, s, f)
	}
	return Records{}
}

// Key is that of the Service which the name belongs to, "" for other names.
func (n *Name) Key() string {
	switch n.Kind {
	case Service, Endpoint, Protocol, Port:
		return n.wanted().key
	}
	return ""
}

// hasBranch tells whether a name that only stands above others exists.
func (n *Name) hasBranch(d *model.Data) bool {
	label, last := cutLast(n.Prefix)
	switch {
	case label == "":
		return d.HasNamespace(folded(last))
	case strings.EqualFold(last, labelPod):
		return false
	}
	return d.HasNamespace(folded(label))
}

// cutLast cuts the last of one or two labels off: "default", "svc".
func cutLast(prefix string) (before, last string) {
	labels := strings.TrimSuffix(prefix, ".")
	if dot := strings.LastIndexByte(labels, '.'); dot >= 0 {
		return labels[:dot], labels[dot+1:]
	}
	return "", labels
}

// wanted is what a name asks of a Service: all of it, one endpoint, or a port.
type wanted struct {
	key string
	// Each of these is "" where any will do.
	endpoint, port, protocol string
}

// wanted reads the labels before "svc". What is escaped in them is in no name
// of the data's.
func (n *Name) wanted() wanted {
	labels := n.Prefix[:len(n.Prefix)-1]
	if !n.Short {
		labels = labels[:len(labels)-len("."+labelService)]
	}
	var w wanted
	switch n.Kind {
	case Endpoint:
		w.endpoint, labels, _ = strings.Cut(labels, ".")
	case Protocol:
		_, labels, _ = strings.Cut(labels, ".")
	case Port: // underscores are left out by whoever likes, as in the oracle
		w.port, labels, _ = strings.Cut(labels, ".")
		w.protocol, labels, _ = strings.Cut(labels, ".")
		w.port, w.protocol = strings.TrimPrefix(w.port, "_"), strings.TrimPrefix(w.protocol, "_")
	}
	w.key = folded(labels)
	return w
}

func (w *wanted) namespace() string { return w.key[strings.IndexByte(w.key, '.')+1:] }

// folded is s in lower case; most are, and cost nothing.
func folded(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

func (w *wanted) records(n *Name, s *model.Service, f *Form) Records {
	switch {
	case s.Type == model.NoService:
		return Records{}
	case s.Type == model.External:
		return w.external(n, s, f)
	case f.Type == dns.TypeSRV:
		return w.srv(n, s, f)
	case f.Type == dns.TypeA, f.Type == dns.TypeAAAA:
		return w.addresses(s, f)
	}
	return Records{Exists: w.exists(s)}
}

// external is an ExternalName's CNAME. Its target in the member's own domain is
// the same name here, in the data's case; one that is the name asked, or below it,
// leads nowhere.
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

// byEndpoint tells whether the name stands for endpoints, not for cluster IPs.
func (w *wanted) byEndpoint(s *model.Service) bool {
	return s.Type == model.Headless || w.endpoint != ""
}

// exists tells whether there is anything of what is wanted.
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

// countPorts is how many of them are wanted.
func (w *wanted) countPorts(ports []model.Port) int {
	count := 0
	for i := range ports {
		if w.matches(&ports[i]) {
			count++
		}
	}
	return count
}

func (w *wanted) matches(p *model.Port) bool {
	return (w.port == "" || equalFold(w.port, p.Name)) && (w.protocol == "" || equalFold(w.protocol, p.Protocol))
}

func (w *wanted) is(e *model.Endpoint) bool {
	return w.endpoint == "" || equalFold(w.endpoint, EndpointName(e))
}

// EndpointName is the label of an endpoint: its hostname, else its address with
// dashes, as CoreDNS's kubernetes plugin makes it.
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
