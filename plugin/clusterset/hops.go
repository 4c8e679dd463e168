package clusterset

import (
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
)

const (
	// hopsOption carries how often clusterset has forwarded a query, in one byte:
	// an EDNS option code for local use (RFC 6891, section 9).
	hopsOption = dns.EDNS0LOCALSTART + 0xC5
	// maxHops ends a loop: members whose DNS is this server, or each other's. The
	// reply is REFUSED, which the cache plugin doesn't keep: a client can forge
	// the option.
	maxHops = 3
)

// hops is how often the query was forwarded by clusterset on its way here.
func hops(r *dns.Msg) uint8 {
	o := r.IsEdns0()
	if o == nil {
		return 0
	}
	for _, option := range o.Option {
		if local, ok := option.(*dns.EDNS0_LOCAL); ok && local.Code == hopsOption && len(local.Data) == 1 {
			return local.Data[0]
		}
	}
	return 0
}

// hop marks a query: it may come back, in our own zones' name or, through a
// member's ExternalName, in another.
func hop(r *dns.Msg) exchange.Option {
	return exchange.Option{Code: hopsOption, Data: string([]byte{hops(r) + 1})}
}

// probeEDNS is what a member's DNS is probed with: as a query that is forwarded the
// first time.
func probeEDNS() exchange.EDNS {
	return exchange.EDNS{Size: 1232, Option: hop(new(dns.Msg))}
}
