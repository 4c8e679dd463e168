package query

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

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
	// Service stands for the one in the data, where clients elsewhere see another; nil else.
	Service *model.Service
}

// Records answers a name from a member's data as CoreDNS's kubernetes plugin does with
// pods disabled: that plugin is the oracle (test/oracle). The apexes, name servers and the
// version aren't in the data.
func (n *Name) Records(d *model.Data, f *Form) Records {
	if n.Kind < Service || n.Kind == Pod {
		return Records{Exists: n.isBranch(d)}
	}
	w := wanted{qtype: f.Type}
	if n.Kind == Service {
		w.key = strings.ToLower(n.labels)
	} else {
		w = n.wanted(f.Type)
	}
	s := f.Service
	if s == nil {
		s = d.Find(w.key)
	}
	switch {
	case s == nil:
		return Records{}
	case s.Type == model.External:
		return w.external(n, s, f)
	case w.qtype == dns.TypeSRV:
		return w.srv(n, s, f)
	case w.qtype != dns.TypeA && w.qtype != dns.TypeAAAA:
		return Records{Exists: w.exists(s)}
	}
	r, found := Records{Exists: len(s.Ports) > 0}, s.ClusterIPs
	if n.Kind != Service || s.Type == model.Headless {
		found, r.Exists = w.addresses(s)
	}
	r.Answer = f.addressRecords(found)
	return r
}

// isBranch reports whether the name is an empty non-terminal.
func (n *Name) isBranch(d *model.Data) bool {
	switch n.Kind {
	case ClusterApex, ClusterBranch:
		return true
	case Branch:
		return !n.IsPod() && d.HasNamespace(strings.ToLower(n.labels))
	}
	return false
}

// Key returns the key of the Service that the name belongs to, "" for other names.
func (n *Name) Key() string {
	switch n.Kind {
	case Service, Endpoint, Protocol, Port:
		return n.wanted(dns.TypeNone).key
	}
	return ""
}

// Namespace returns the namespace that the name is in, in lower case, "" for other names.
func (n *Name) Namespace() string {
	if n.Kind < Branch {
		return ""
	}
	dot := strings.LastIndexByte(n.labels, '.')
	for dot > 0 && escaped(n.labels, dot) { // no end of a label: RFC 1035, section 5.1
		dot = strings.LastIndexByte(n.labels[:dot], '.')
	}
	return strings.ToLower(n.labels[dot+1:])
}

// wanted is what a question asks of a Service: all of it, one endpoint, or a port.
type wanted struct {
	key string
	// Each of these is "" where any will do.
	endpoint, cluster, port, protocol string
	// qtype is TypeNone for an empty non-terminal, which has no records.
	qtype uint16
}

// wanted parses the labels before "svc". What is escaped in them is in no name of the
// data's.
func (n *Name) wanted(qtype uint16) wanted {
	w, labels := wanted{qtype: qtype}, n.labels
	switch n.Kind {
	case Endpoint:
		if n.overSet {
			end := labelEnd(labels)
			w.endpoint, w.cluster, labels = labels[:end], n.Cluster, labels[end+len(n.Cluster)+2:]
			break
		}
		w.endpoint, labels, _ = strings.Cut(labels, ".")
	case Protocol:
		_, labels, _ = strings.Cut(labels, ".")
		w.qtype = dns.TypeNone
	case Port: // with or without underscores, as in the oracle
		w.port, labels, _ = strings.Cut(labels, ".")
		w.protocol, labels, _ = strings.Cut(labels, ".")
		w.port, w.protocol = strings.TrimPrefix(w.port, "_"), strings.TrimPrefix(w.protocol, "_")
	}
	w.key = strings.ToLower(labels)
	return w
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
	switch w.qtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
	default:
		return r
	}
	target := dns.Fqdn(s.ExternalName)
	if InZone(target, f.Domain) {
		target = target[:len(target)-len(f.Domain)] + strings.ToLower(n.Suffix)
	}
	if isName(target) && (f.Type == dns.TypeCNAME || !InZone(target, s.Key+"."+labelService+"."+n.Suffix)) {
		r.Answer = []dns.RR{f.Alias(target)}
	}
	return r
}

func (f *Form) header(owner string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: f.TTL}
}

type record4 struct {
	dns.A
	octets [4]byte
}

type record6 struct {
	dns.AAAA
	octets [16]byte
}

// addressRecords returns the records of the addresses that are of the type asked for: in
// one allocation where there is one, as most Services have, else in two.
func (f *Form) addressRecords(addresses []netip.Addr) (rrs []dns.RR) {
	count, v4 := 0, f.Type == dns.TypeA
	for _, addr := range addresses {
		if addr.Is4() == v4 {
			count++
		}
	}
	var records4 []record4
	var records6 []record6
	switch {
	case count == 0:
		return nil
	case count == 1 && v4:
		one := new(struct {
			rrs     [1]dns.RR
			records [1]record4
		})
		rrs, records4 = one.rrs[:0], one.records[:]
	case count == 1:
		one := new(struct {
			rrs     [1]dns.RR
			records [1]record6
		})
		rrs, records6 = one.rrs[:0], one.records[:]
	case v4:
		rrs, records4 = make([]dns.RR, 0, count), make([]record4, count)
	default:
		rrs, records6 = make([]dns.RR, 0, count), make([]record6, count)
	}
	header := dns.RR_Header{Name: f.Owner, Rrtype: f.Type, Class: dns.ClassINET, Ttl: f.TTL}
	for _, addr := range addresses {
		if addr.Is4() != v4 {
			continue
		}
		if v4 {
			r := &records4[len(rrs)]
			r.octets = addr.As4()
			r.Hdr, r.A.A = header, r.octets[:]
			rrs = append(rrs, &r.A)
			continue
		}
		r := &records6[len(rrs)]
		r.octets = addr.As16()
		r.Hdr, r.AAAA.AAAA = header, r.octets[:]
		rrs = append(rrs, &r.AAAA)
	}
	return rrs
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
	return w.endpoint == "" || equalFold(w.endpoint, endpointName(e))
}

// endpointName returns the label of an endpoint: its hostname, else its address with
// dashes, as CoreDNS's kubernetes plugin writes it.
func endpointName(e *model.Endpoint) string {
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
