package query

import (
	"math"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// srv returns a Service's SRV records (RFC 2782): one for each port and target, with the
// targets' addresses as additional records.
func (w *wanted) srv(n *Name, s *model.Service, f *Form) Records {
	service := s.Key + "." + labelService + "." + n.Suffix
	l := srvList{form: *f, targets: make(map[srvKey]bool), addresses: make(map[srvAddress]bool), weight: w.weight(s)}
	if !w.byEndpoint(s) {
		for i := range s.Ports {
			if w.matches(&s.Ports[i]) {
				l.Exists = true
				for _, addr := range s.ClusterIPs {
					l.add(service, &s.Ports[i], addr)
				}
			}
		}
		return l.Records
	}
	for _, slice := range s.Slices {
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			if !w.is(e) {
				continue
			}
			target := endpointName(e) + "." + service
			for p := range slice.Ports {
				if w.matches(&slice.Ports[p]) {
					l.Exists = true
					l.add(target, &slice.Ports[p], e.Addr)
				}
			}
		}
	}
	return l.Records
}

// weight divides 100 evenly among all that is wanted, exactly as the oracle does.
func (w *wanted) weight(s *model.Service) uint16 {
	count := w.countPorts(s.Ports) * len(s.ClusterIPs)
	if w.byEndpoint(s) {
		count = w.countEndpoints(s)
	}
	if count == 0 {
		return 1
	}
	return uint16(max(1, math.Floor(100/float64(100*count)*100)))
}

// countEndpoints returns how many ports of endpoints are wanted.
func (w *wanted) countEndpoints(s *model.Service) (count int) {
	for _, slice := range s.Slices {
		for i := range slice.Endpoints {
			if w.is(&slice.Endpoints[i]) {
				count += w.countPorts(slice.Ports)
			}
		}
	}
	return count
}

// srvList collects records without duplicates.
type srvList struct {
	Records
	form      Form
	weight    uint16
	targets   map[srvKey]bool
	addresses map[srvAddress]bool
}

type srvKey struct {
	target string
	port   uint16
}

type srvAddress struct {
	target string
	addr   netip.Addr
}

func (l *srvList) add(target string, p *model.Port, addr netip.Addr) {
	if !l.addTarget(target, p) {
		return
	}
	if key := (srvAddress{target, addr}); !l.addresses[key] {
		l.addresses[key] = true
		l.Extra = append(l.Extra, l.form.address(target, addr))
	}
}

// addTarget adds a record without addresses, and reports whether there can be one.
func (l *srvList) addTarget(target string, p *model.Port) bool {
	if p.Number == model.NoPort || !isName(target) {
		return false
	}
	port := uint16(p.Number)
	if key := (srvKey{target, port}); !l.targets[key] {
		l.targets[key] = true
		l.Answer = append(l.Answer, &dns.SRV{Hdr: l.form.header(l.form.Owner, dns.TypeSRV), Weight: l.weight, Port: port, Target: target})
	}
	return true
}

func (f *Form) address(owner string, addr netip.Addr) dns.RR {
	if addr.Is4() {
		return &dns.A{Hdr: f.header(owner, dns.TypeA), A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: f.header(owner, dns.TypeAAAA), AAAA: addr.AsSlice()}
}
