//go:build e2e

package oracle

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// types are those asked for of every name; dataTypes those whose answers are of
// the data.
var (
	types = []uint16{
		dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypePTR, dns.TypeTXT, dns.TypeSOA,
		dns.TypeNS, dns.TypeMX, dns.TypeCNAME, dns.TypeANY, dns.TypeHTTPS,
	}
	dataTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeCNAME, dns.TypePTR, dns.TypeTXT}
)

// names are all that were ever heard of, so that those are asked for too that
// are gone.
type names struct {
	// prefixes stand before the zone, with their last dot, in Kubernetes' own
	// schema: "web.alpha.svc.".
	prefixes map[string]bool
	// mixed are those asked for in other cases too.
	mixed   map[string]bool
	reverse map[string]bool
}

func newNames() *names {
	n := namesOf(objects{})
	for _, prefix := range fixedNames {
		n.add(prefix)
		n.mixed[prefix] = true
	}
	for _, name := range fixedReverse {
		n.reverse[name] = true
	}
	return n
}

// namesOf are the names of the objects, and their neighbours.
func namesOf(o objects) *names {
	n := &names{prefixes: map[string]bool{}, mixed: map[string]bool{}, reverse: map[string]bool{}}
	n.learn(o)
	return n
}

// fixedNames don't depend on the data.
var fixedNames = []string{
	"", "svc.", "pod.", "svc.svc.", "pod.pod.", "pod.svc.", "svc.pod.", "dns-version.", "x.dns-version.", "dns-version.svc.",
	"ns.dns.", "dns.", "x.ns.dns.svc.", "_dns._udp.ns.dns.svc.", "missing.svc.", "missing.pod.", "missing.alpha.svc.",
	"1-2-3-4.alpha.pod.", "fd00-51--1.alpha.pod.", "1-2-3-4.missing.pod.", "10-51-0-1.alpha.pod.", "x.1-2-3-4.alpha.pod.", "no-address.alpha.pod.",
	`web\.alpha.svc.`, `a\.b.alpha.svc.`, `web\ .alpha.svc.`, "*.alpha.svc.", "*.*.svc.", "any.any.svc.",
	"_.alpha.svc.", "_._.web.alpha.svc.", "_._tcp.web.alpha.svc.", "_http._.web.alpha.svc.", "__http._tcp.web.alpha.svc.", "_tcp.web.alpha.svc.",
	"web.pin._zone.db.alpha.svc.", "a.b.c.d.e.f.g.alpha.svc.", strings.Repeat("x", 63) + ".alpha.svc.",
}

var fixedReverse = []string{
	"in-addr.arpa.", "ip6.arpa.", "10.in-addr.arpa.", "51.10.in-addr.arpa.", "0.51.10.in-addr.arpa.", "1.1.0.51.10.in-addr.arpa.",
	"x.0.51.10.in-addr.arpa.", "256.0.51.10.in-addr.arpa.", "01.0.51.10.in-addr.arpa.", "d.f.ip6.arpa.", "x.d.f.ip6.arpa.",
	"IN-ADDR.ARPA.", "1.0.51.10.IN-addr.arpa.", "ns.dns.in-addr.arpa.", "arpa.in-addr.arpa.",
}

func (n *names) add(prefix string) { n.prefixes[prefix] = true }

// learn adds the names of the objects, and their neighbours.
func (n *names) learn(o objects) {
	for i := range o.namespaces {
		name := o.namespaces[i].Name
		for _, prefix := range []string{name + ".svc.", name + ".pod.", "x." + name + ".pod.", name + ".svc.svc.", name + "x.svc.", "missing." + name + ".svc."} {
			n.add(prefix)
		}
	}
	for i := range o.services {
		n.service(&o.services[i])
	}
	for i := range o.slices {
		n.slice(&o.slices[i])
	}
	for i := range o.imports {
		n.imported(&o.imports[i])
	}
}

// around adds a name of the service and what is one label, or one letter, away.
func (n *names) around(name, namespace string) {
	base := name + "." + namespace + ".svc."
	n.mixed[base] = true
	for _, prefix := range []string{
		base, "x." + base, "x.y." + base, "x.y.z." + base, "_x._tcp." + base, "_tcp." + base,
		name + "." + name + "." + namespace + ".svc.", // an endpoint like its service
		name + ".svc.", name + "x." + namespace + ".svc.", name + "." + namespace + "x.svc.",
		name + "." + namespace + ".svc.x.svc.", namespace + "." + name + ".svc.", // a label more, the labels changed round
		name + "." + namespace + ".pod.", "svc." + base, base + "svc.",
	} {
		n.add(prefix)
	}
}

func (n *names) service(s *v1.Service) {
	n.around(s.Name, s.Namespace)
	for _, p := range s.Spec.Ports {
		n.port(p.Name, string(p.Protocol), s.Name+"."+s.Namespace+".svc.")
	}
	for _, ip := range s.Spec.ClusterIPs {
		n.address(ip)
	}
}

// port adds the names of a port, and those of a wrong one.
func (n *names) port(name, protocol, base string) {
	protocol = strings.ToLower(protocol)
	right := "_" + name + "._" + protocol + "." + base
	n.mixed[right] = true
	n.add(right)
	n.add("x." + right)
	for _, other := range []string{"tcp", "udp", "sctp", "http"} {
		n.add("_" + name + "._" + other + "." + base)
	}
	if name != "" {
		n.add(name + "." + protocol + "." + base)
		n.add("_" + name + "." + protocol + "." + base)
		n.add(name + "._" + protocol + "." + base)
		n.add("_" + name + "." + base)
		n.add("_" + name + "x._" + protocol + "." + base)
	}
}

// perSlice is of how many endpoints of a slice the names are asked for.
const perSlice = 5

func (n *names) slice(s *discovery.EndpointSlice) {
	service, ok := s.Labels[discovery.LabelServiceName]
	if of, is := s.Labels[mcs.LabelServiceName]; is {
		n.importedSlice(s, of)
		return
	}
	if !ok {
		service = "missing"
	}
	n.around(service, s.Namespace)
	base := service + "." + s.Namespace + ".svc."
	for _, p := range s.Ports {
		if p.Name != nil && p.Protocol != nil {
			n.port(*p.Name, string(*p.Protocol), base)
		}
	}
	for _, e := range s.Endpoints[:min(perSlice, len(s.Endpoints))] {
		if e.Hostname != nil {
			n.endpoint(*e.Hostname, base)
		}
		if e.TargetRef != nil {
			n.endpoint(e.TargetRef.Name, base)
		}
		for _, address := range e.Addresses {
			n.endpoint(dashed(address), base)
			n.endpoint(dashed(address)+"0", base) // of fd00:51::, since a label can't end in a dash
			n.address(address)
		}
	}
}

func dashed(address string) string { return strings.NewReplacer(".", "-", ":", "-").Replace(address) }

func (n *names) endpoint(host, base string) {
	n.mixed[host+"."+base] = true
	for _, prefix := range []string{host + "." + base, host + "x." + base, "x." + host + "." + base, "_http._tcp." + host + "." + base} {
		n.add(prefix)
	}
}

// address adds the reverse names of an address and its neighbours.
func (n *names) address(text string) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return // of an FQDN slice
	}
	for _, a := range []netip.Addr{addr.Prev(), addr, addr.Next()} {
		if name, err := dns.ReverseAddr(a.String()); err == nil {
			n.reverse[name] = true
			n.reverse[name[strings.Index(name, ".")+1:]] = true
			if a == addr {
				n.reverse["x."+name] = true
			}
		}
	}
}

// questions are all names with all types, in an order that only depends on them.
func (n *names) questions() []question {
	list := n.askedFor(types)
	each := func(q question) { list = appendEach(list, q, dataTypes) }
	for _, prefix := range slices.Sorted(maps.Keys(n.mixed)) {
		each(question{prefix: prefix, zone: mixedCase})
		each(question{prefix: mix(prefix), zone: upperCase})
		if hasShortForm(prefix) {
			each(question{prefix: strings.ToUpper(prefix), zone: mixedCase, short: true})
		}
	}
	return list
}

// changed are the questions whose replies change with the data: not those in
// other cases, and not those for types that have no records.
func (n *names) changed() []question { return n.askedFor(dataTypes) }

// brief are those of changed in which most is seen: each name in one of its forms, and
// of the types whose records such names have.
func (n *names) brief() []question {
	return slices.DeleteFunc(n.changed(), func(q question) bool {
		if q.zone == none {
			return q.qtype != dns.TypePTR && q.qtype != dns.TypeA
		}
		short := hasShortForm(q.prefix) && len(q.prefix)%2 == 0
		return q.short != short || q.qtype == dns.TypePTR || q.qtype == dns.TypeTXT
	})
}

func (n *names) askedFor(types []uint16) []question {
	var list []question
	for _, prefix := range slices.Sorted(maps.Keys(n.prefixes)) {
		list = appendEach(list, question{prefix: prefix}, types)
		if hasShortForm(prefix) {
			list = appendEach(list, question{prefix: prefix, short: true}, types)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.reverse)) {
		list = appendEach(list, question{prefix: name, zone: none}, types)
	}
	return list
}

func appendEach(list []question, q question, types []uint16) []question {
	for _, q.qtype = range types {
		list = append(list, q)
	}
	return list
}

// mix makes every second letter a capital one.
func mix(s string) string {
	letters := []rune(s)
	for i := range letters {
		if i%2 == 0 {
			letters[i] = unicode.ToUpper(letters[i])
		}
	}
	return string(letters)
}
