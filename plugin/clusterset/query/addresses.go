package query

import (
	"net/netip"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// addresses returns the addresses that are wanted: a Service's cluster IPs or its
// endpoints', and whether there is anything of what is wanted.
func (w *wanted) addresses(s *model.Service) (found []netip.Addr, exists bool) {
	if !w.byEndpoint(s) {
		if w.countPorts(s.Ports) == 0 {
			return nil, false
		}
		return s.ClusterIPs, true
	}
	count := 0
	for _, slice := range s.Slices {
		count += len(slice.Endpoints)
	}
	found = make([]netip.Addr, 0, count)
	for _, slice := range s.Slices {
		if w.countPorts(slice.Ports) == 0 {
			continue
		}
		for i := range slice.Endpoints {
			if w.is(&slice.Endpoints[i]) {
				found = append(found, slice.Endpoints[i].Addr)
			}
		}
	}
	return Unique(found), len(found) > 0
}

// fewAddresses are compared with each other faster than they are put into a map.
const fewAddresses = 16

// Unique removes duplicates, in place: an endpoint may be in two slices while it moves
// from one to the other.
func Unique(addresses []netip.Addr) []netip.Addr {
	if len(addresses) > fewAddresses {
		return uniqueOfMany(addresses)
	}
	kept := addresses[:0]
next:
	for _, addr := range addresses {
		for _, k := range kept {
			if k == addr {
				continue next
			}
		}
		kept = append(kept, addr)
	}
	return kept
}

func uniqueOfMany(addresses []netip.Addr) []netip.Addr {
	seen, kept := make(map[netip.Addr]struct{}, len(addresses)), addresses[:0]
	for _, addr := range addresses {
		if _, duplicate := seen[addr]; !duplicate {
			seen[addr] = struct{}{}
			kept = append(kept, addr)
		}
	}
	return kept
}
