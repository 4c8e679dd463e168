package query

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// addresses returns a Service's A or AAAA records: its cluster IPs', or its endpoints'.
func (w *wanted) addresses(s *model.Service, f *Form) Records {
	if w.byEndpoint(s) {
		found := w.endpoints(s)
		return Records{Exists: len(found) > 0, Answer: f.addressRecords(unique(found))}
	}
	if w.countPorts(s.Ports) == 0 {
		return Records{}
	}
	return Records{Exists: true, Answer: f.addressRecords(s.ClusterIPs)}
}

// endpoints returns the addresses of the endpoints that are wanted.
func (w *wanted) endpoints(s *model.Service) []netip.Addr {
	count := 0
	for _, slice := range s.Slices {
		count += len(slice.Endpoints)
	}
	found := make([]netip.Addr, 0, count)
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
	return found
}

// fewAddresses are compared with each other faster than they are put into a map.
const fewAddresses = 16

// unique removes duplicates, in place: an endpoint may be in two slices while it moves
// from one to the other.
func unique(addresses []netip.Addr) []netip.Addr {
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

// addressRecords returns the records of the addresses that are of the type asked for, in
// one allocation for each of list and records, or for both where there is one record, as
// of most Services.
func (f *Form) addressRecords(addresses []netip.Addr) []dns.RR {
	count, v4 := 0, f.Type == dns.TypeA
	for _, addr := range addresses {
		if addr.Is4() == v4 {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	if v4 {
		rrs, records := room[record4](count)
		for _, addr := range addresses {
			if addr.Is4() {
				r := &records[len(rrs)]
				r.octets = addr.As4()
				r.Hdr, r.A.A = f.header(f.Owner, dns.TypeA), r.octets[:]
				rrs = append(rrs, &r.A)
			}
		}
		return rrs
	}
	rrs, records := room[record6](count)
	for _, addr := range addresses {
		if !addr.Is4() {
			r := &records[len(rrs)]
			r.octets = addr.As16()
			r.Hdr, r.AAAA.AAAA = f.header(f.Owner, dns.TypeAAAA), r.octets[:]
			rrs = append(rrs, &r.AAAA)
		}
	}
	return rrs
}

type record4 struct {
	dns.A
	octets [4]byte
}

type record6 struct {
	dns.AAAA
	octets [16]byte
}

// room returns an empty list of records, and that many records to put into it.
func room[R any](count int) ([]dns.RR, []R) {
	if count == 1 {
		one := new(struct {
			rrs     [1]dns.RR
			records [1]R
		})
		return one.rrs[:0], one.records[:]
	}
	return make([]dns.RR, 0, count), make([]R, count)
}
