//go:build e2e

package oracle

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// What the exceptions for names over the whole ClusterSet want: the KEP's answers, made of
// the objects, apart from clusterset's own code.

func setVersion(d *deviation) {
	if d.is("dns-version.") && d.qtype == dns.TypeTXT {
		for _, rr := range d.want.Answer {
			rr.(*dns.TXT).Txt = []string{"1.0.0"}
		}
	}
}

func podBranch(d *deviation) {
	if d.is("pod.") && d.want.Rcode == dns.RcodeSuccess {
		d.want.Rcode = dns.RcodeNameError
	}
}

func namespaceBranch(d *deviation) {
	if labels := dns.SplitDomainName(d.prefix); len(labels) == 2 && strings.EqualFold(labels[1], "svc") {
		d.want.Rcode = dns.RcodeSuccess
	}
}

// noPorts is for an import of ClusterSetIP without ports.
func noPorts(d *deviation) {
	s, before := d.importOf()
	if s == nil || s.Spec.Type == mcs.Headless || len(s.Spec.Ports) > 0 || d.want.Rcode != dns.RcodeNameError {
		return
	}
	switch {
	case len(before) == 0, slices.Equal(before, []string{"_", "_"}): // "_" stands for any port, of any protocol
		var ips []importedAddress
		for _, ip := range s.Spec.IPs {
			ips = append(ips, importedAddress{Addr: netip.MustParseAddr(ip)})
		}
		d.exists(addressRecords(d.ourName(), d.qtype, ips), nil)
	case len(before) == 1 && slices.Contains([]string{"_tcp", "_udp", "_sctp"}, strings.ToLower(before[0])):
		d.exists(nil, nil) // as above other SRV names
	}
}

func endpointOfSetIP(d *deviation) {
	s, before := d.importOf()
	if s == nil || s.Spec.Type == mcs.Headless || len(before) != 2 || isPort(before) || d.want.Rcode != dns.RcodeSuccess {
		return
	}
	d.denyIn(theirZones[d.zone])
	d.want.Extra = edns(d.want.Extra)
}

// clusterOfTwoLabels is for the endpoints of such a cluster.
func clusterOfTwoLabels(d *deviation) {
	s, before := d.importOf()
	if s == nil || s.Spec.Type != mcs.Headless || len(before) != 3 || isPort(before) {
		return
	}
	found := d.imported(s, before[0], before[1]+"."+before[2])
	switch {
	case len(found) == 0:
	case d.qtype == dns.TypeA || d.qtype == dns.TypeAAAA:
		d.exists(addressRecords(d.ourName(), d.qtype, found), nil)
	case d.qtype == dns.TypeSRV:
		d.exists(servers(d.ourName(), strings.ToLower(d.prefix)+ourZones[d.zone], found))
	default:
		d.exists(nil, nil)
	}
}

// importedAddress is one of an endpoint's, with the ports of its slice.
type importedAddress struct {
	netip.Addr
	ports []discovery.EndpointPort
}

// imported are those of a cluster's ready endpoints that have the label.
func (d *deviation) imported(of *mcs.ServiceImport, label, cluster string) []importedAddress {
	var list []importedAddress
	for i := range d.objects.slices {
		s := &d.objects.slices[i]
		if s.Namespace != of.Namespace || s.Labels[mcs.LabelServiceName] != of.Name || s.Labels[mcs.LabelSourceCluster] != cluster {
			continue
		}
		for j := range s.Endpoints {
			e := &s.Endpoints[j]
			for _, address := range e.Addresses {
				if isReady(e) && hostOf(e, address) == label {
					list = append(list, importedAddress{netip.MustParseAddr(address), s.Ports})
				}
			}
		}
	}
	return list
}

// addressRecords are those of the type, one for each address.
func addressRecords(owner string, qtype uint16, of []importedAddress) []dns.RR {
	var list []dns.RR
	for _, a := range of {
		switch {
		case a.Is4() && qtype == dns.TypeA:
			list = append(list, &dns.A{Hdr: header(owner, qtype), A: a.AsSlice()})
		case a.Is6() && qtype == dns.TypeAAAA:
			list = append(list, &dns.AAAA{Hdr: header(owner, qtype), AAAA: a.AsSlice()})
		}
	}
	return dns.Dedup(list, nil)
}

// servers are the SRV records of one name, and its addresses.
func servers(owner, target string, of []importedAddress) (answer, additional []dns.RR) {
	count := 0 // duplicates too, as kubernetes has it
	for _, a := range of {
		count += max(1, len(a.ports))
	}
	for _, a := range of {
		for _, p := range a.ports {
			if p.Port == nil {
				continue
			}
			answer = append(answer, &dns.SRV{Hdr: header(owner, dns.TypeSRV), Weight: uint16(max(1, 100/count)), Port: uint16(*p.Port), Target: target})
			for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
				additional = append(additional, addressRecords(target, qtype, []importedAddress{a})...)
			}
		}
	}
	return dns.Dedup(answer, nil), dns.Dedup(additional, nil)
}

func isPort(labels []string) bool {
	return strings.HasPrefix(labels[0], "_") || strings.HasPrefix(labels[1], "_")
}

// importOf is the import that a name is of, and the labels before it.
func (d *deviation) importOf() (s *mcs.ServiceImport, before []string) {
	labels := dns.SplitDomainName(strings.ToLower(d.prefix))
	last := len(labels) - 1
	if last < 2 || labels[last] != "svc" {
		return nil, nil
	}
	i := slices.IndexFunc(d.objects.imports, func(s mcs.ServiceImport) bool {
		return s.Name == labels[last-2] && s.Namespace == labels[last-1]
	})
	if i < 0 {
		return nil, nil
	}
	return &d.objects.imports[i], labels[:last-2]
}

// exists makes of what is wanted an answer.
func (d *deviation) exists(answer, additional []dns.RR) {
	d.want.Rcode, d.want.Answer = dns.RcodeSuccess, answer
	if len(answer) > 0 {
		d.want.Ns = nil
	}
	d.want.Extra = append(edns(d.want.Extra), additional...)
}
