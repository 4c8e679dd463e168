package clusterset

import "github.com/miekg/dns"

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

// addHop marks a query: it may come back, in our own zones' name or, through a
// member's ExternalName, in another. A client without EDNS is still given no
// more than it can take.
func addHop(m *dns.Msg, before uint8) {
	o := m.IsEdns0()
	if o == nil {
		m.Extra = firstHop // who has no EDNS came by no hop
		return
	}
	o.Option = append(o.Option, hop(before+1))
}

// firstHop is the EDNS of most queries. A query's message isn't changed once it
// is made, so they share it.
var firstHop = func() []dns.RR {
	m := new(dns.Msg)
	m.SetEdns0(dns.MinMsgSize, false).IsEdns0().Option = []dns.EDNS0{hop(1)}
	return m.Extra
}()

func hop(n uint8) dns.EDNS0 { return &dns.EDNS0_LOCAL{Code: hopsOption, Data: []byte{n}} }
