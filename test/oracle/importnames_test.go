//go:build e2e

package oracle

import (
	"slices"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// Names over the whole ClusterSet.

// all are the questions of all names, changed those whose replies change with the data,
// and brief those of them in which most is seen.
func (c *comparison) all(n *names) []question {
	if c.mode == imports {
		return overSet(n.questions())
	}
	return n.questions()
}

func (c *comparison) changed(n *names) []question {
	if c.mode == imports {
		return overSet(n.changed())
	}
	return n.changed()
}

func (c *comparison) brief(n *names) []question {
	if c.mode != imports {
		return n.brief()
	}
	return slices.DeleteFunc(overSet(n.changed()), func(q question) bool { return q.qtype == dns.TypePTR || q.qtype == dns.TypeCNAME })
}

// overSet returns the questions as they are asked in a clusterset zone, which has no short
// forms, and no names of addresses.
func overSet(list []question) []question {
	list = slices.DeleteFunc(list, func(q question) bool { return q.short || q.zone == none })
	for i := range list {
		list[i].zone += setLower
	}
	return list
}

// imported adds the names of an import.
func (n *names) imported(s *mcs.ServiceImport) {
	n.around(s.Name, s.Namespace)
	base := s.Name + "." + s.Namespace + ".svc."
	for _, p := range s.Spec.Ports {
		n.port(p.Name, string(p.Protocol), base)
	}
	n.add("missing.c1." + base)
	n.add("missing.c1.eu." + base)
}

// importedSlice adds the names of a slice of that import, in its cluster, in another, and
// in none.
func (n *names) importedSlice(s *discovery.EndpointSlice, of string) {
	n.around(of, s.Namespace)
	base, cluster := of+"."+s.Namespace+".svc.", s.Labels[mcs.LabelSourceCluster]
	for _, p := range s.Ports {
		n.port(*p.Name, string(*p.Protocol), base)
	}
	n.add(cluster + "." + base)
	for _, e := range s.Endpoints[:min(perSlice, len(s.Endpoints))] {
		hosts := []string{dashed(e.Addresses[0]), dashed(e.Addresses[0]) + "0"}
		if e.Hostname != nil {
			hosts = append(hosts, *e.Hostname)
		}
		for _, host := range hosts {
			n.mixed[host+"."+cluster+"."+base] = true
			for _, prefix := range []string{
				host + "." + cluster + "." + base, host + "." + base, host + ".c1." + base, host + ".other." + base, host + ".c2.eu." + base,
				"x." + host + "." + cluster + "." + base, "_http._tcp." + host + "." + cluster + "." + base, "_" + host + "." + cluster + "." + base,
			} {
				n.add(prefix)
			}
		}
	}
}
