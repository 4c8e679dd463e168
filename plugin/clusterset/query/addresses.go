package query

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// addresses are a Service's A or AAAA records.
func (w *wanted) addresses(s *model.Service, f *Form) Records {
	switch {
	case w.byEndpoint(s):
		return w.endpoints(s, f)
	case w.countPorts(s.Ports) == 0:
		return Records{}
	}
	return Records{Exists: true, Answer: addressRecords(f, s.ClusterIPs)}
}

// endpoints are the records of a Service's endpoints.
func (w *wanted) endpoints(s *model.Service, f *Form) Records {
	r, count := Records{}, 0
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
				r.Exists = true
				found = append(found, slice.Endpoints[i].Addr)
			}
		}
	}
	r.Answer = addressRecords(f, unique(found))
	return r
}

// fewAddresses are compared with each other faster than they are put into a map.
const fewAddresses = 16

// unique takes out what is there twice, in place: an endpoint may be in two
// slices while it moves from one to the other.
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
		if _, twice := seen[addr]; !twice {
			seen[addr] = struct{}{}
			kept = append(kept, addr)
		}
	}
	return kept
}

// addressRecords are those addresses that are of the type asked for.
func addressRecords(f *Form, addresses []netip.Addr) []dns.RR {
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
		return records4(f, addresses, count)
	}
	return records6(f, addresses, count)
}

func records4(f *Form, addresses []netip.Addr, count int) []dns.RR {
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

func records6(f *Form, addresses []netip.Addr, count int) []dns.RR {
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

// room is for that many records and the list of them, which for a single one, as
// most Services have, is one piece of memory.
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
