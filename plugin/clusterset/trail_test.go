package clusterset

import (
	"net/netip"

	"github.com/miekg/dns"
)

// What servers like this one say to each other: an EDNS option with the hops that a query has
// made and the look-ups that its question has left.
const (
	hopsOption = 0xFFC5
	maxHops    = 3
	maxLookups = 24
)

// trailOf returns what a query says of its way, or nil.
func trailOf(r *dns.Msg) []byte {
	if o := r.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if local, ok := option.(*dns.EDNS0_LOCAL); ok && local.Code == hopsOption {
				return local.Data
			}
		}
	}
	return nil
}

// hopsOf returns the hops that a query has made.
func hopsOf(r *dns.Msg) int {
	if trail := trailOf(r); len(trail) > 0 {
		return int(trail[0])
	}
	return 0
}

// leftOf returns the look-ups that a query's question has left.
func leftOf(r *dns.Msg) int {
	if trail := trailOf(r); len(trail) == 2 {
		return int(trail[1])
	}
	return maxLookups
}

// address returns that of an A or AAAA record.
func address(rr dns.RR) (addr netip.Addr, ok bool) {
	switch rr := rr.(type) {
	case *dns.A:
		addr, ok = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		addr, ok = netip.AddrFromSlice(rr.AAAA)
	}
	return addr.Unmap(), ok
}
