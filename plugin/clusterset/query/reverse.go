package query

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const (
	suffix4 = ".in-addr.arpa."
	suffix6 = ".ip6.arpa."
)

// IsReverse reports whether zone is in-addr.arpa. or ip6.arpa., or below one.
func IsReverse(zone string) bool {
	return strings.HasSuffix("."+zone, suffix4) || strings.HasSuffix("."+zone, suffix6)
}

// ReverseAddress returns the address of a reverse name (RFC 1035, section 3.5; RFC 3596, section
// 2.5). ok is false for a name that isn't a whole address.
func ReverseAddress(name string) (netip.Addr, bool) {
	name = strings.ToLower(name)
	if labels, ok := strings.CutSuffix(name, suffix4); ok {
		return address4(labels)
	}
	if labels, ok := strings.CutSuffix(name, suffix6); ok {
		return address6(labels)
	}
	return netip.Addr{}, false
}

// ReversePrefix returns the addresses whose names are below a reverse name: those of the
// whole zone, or those that begin with the name's labels.
func ReversePrefix(name string) (netip.Prefix, bool) {
	name = "." + strings.ToLower(name)
	if labels, ok := strings.CutSuffix(name, suffix4); ok {
		return below(labels, 4, 8, address4)
	}
	if labels, ok := strings.CutSuffix(name, suffix6); ok {
		return below(labels, 32, 4, address6)
	}
	return netip.Prefix{}, false
}

// below parses labels, each after a dot, of bits each; a whole address has all of them.
func below(labels string, all, bits int, address func(string) (netip.Addr, bool)) (netip.Prefix, bool) {
	count := strings.Count(labels, ".")
	if count >= all {
		return netip.Prefix{}, false
	}
	missing := strings.Repeat("0.", all-count)
	addr, whole := address(strings.TrimSuffix(missing, ".") + labels)
	return netip.PrefixFrom(addr, bits*count), whole
}

func address4(labels string) (netip.Addr, bool) {
	var octets [4]byte
	for i := range octets {
		label, rest, more := strings.Cut(labels, ".")
		n, err := strconv.ParseUint(label, 10, 8)
		if err != nil || more == (i == 3) || (len(label) > 1 && label[0] == '0') {
			return netip.Addr{}, false
		}
		octets[3-i], labels = byte(n), rest
	}
	return netip.AddrFrom4(octets), true
}

// address6 parses 32 nibbles with dots between them, the last one first.
func address6(labels string) (netip.Addr, bool) {
	if len(labels) != 63 {
		return netip.Addr{}, false
	}
	var octets [16]byte
	for i := range 32 {
		n, err := strconv.ParseUint(labels[2*i:2*i+1], 16, 8)
		if err != nil || (i < 31 && labels[2*i+1] != '.') {
			return netip.Addr{}, false
		}
		octets[15-i/2] |= byte(n) << (4 * (i % 2))
	}
	return netip.AddrFrom16(octets), true
}

// Pointers returns the PTR records of an address in a member's data: that of the Service
// whose cluster IP it is, else those of its endpoints, each once. f.Domain is the zone of
// their targets.
func Pointers(d *model.Data, addr netip.Addr, f *Form) Records {
	owners := d.Owners(addr)
	r := Records{Exists: len(owners) > 0}
	if f.Type != dns.TypePTR {
		return r
	}
	seen := make(map[string]bool)
	for _, owner := range owners {
		target := owner.Service + "." + labelService + "." + f.Domain
		if owner.Slice != nil {
			target = endpointName(&owner.Slice.Endpoints[owner.Endpoint]) + "." + target
		}
		if !seen[target] && isName(target) {
			seen[target] = true
			r.Answer = append(r.Answer, &dns.PTR{Hdr: f.header(f.Owner, dns.TypePTR), Ptr: target})
		}
		if owner.Slice == nil {
			break // of two Services, kubernetes returns one as well
		}
	}
	return r
}
