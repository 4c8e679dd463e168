package question

import (
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
)

const (
	// TrailOption is the EDNS option of a query that clusterset forwards: how
	// often clusterset has forwarded it, in one byte, and how many look-ups its question may
	// still make, in another; and the type of the record that says in the reply that there
	// was none left. As an option's code it is for local use (RFC 6891, section 9), as a
	// record's type for private use (RFC 6895, section 3.1).
	TrailOption = 0xFFC5
	// MaxHops ends a loop: members whose DNS is this server, or each other's. The reply is
	// REFUSED, which the cache plugin doesn't keep: a client can forge the option.
	MaxHops = 3
	// MaxLookUps is how many look-ups a question may make, here and in servers like this one
	// behind it: twice as many CNAMEs as CoreDNS's kubernetes plugin follows. Bounds for each
	// step alone would multiply (the NXNS attack; BIND has max-recursion-queries for that).
	MaxLookUps = 24
)

// Trail is the content of trailOption.
type Trail struct {
	// Marked is whether there is one: then nothing is kept of what comes of the query.
	Marked bool
	// Hops is how often the query was forwarded by clusterset on its way here, and Left how
	// many look-ups it may still make.
	Hops, Left uint8
}

// TrailOf returns what the options of a query's EDNS say.
func TrailOf(o *dns.OPT) Trail {
	t := Trail{Left: MaxLookUps}
	for _, option := range o.Option {
		local, ok := option.(*dns.EDNS0_LOCAL)
		if !ok || local.Code != TrailOption || len(local.Data) == 0 || len(local.Data) > 2 {
			continue
		}
		t.Marked, t.Hops = true, local.Data[0]
		if len(local.Data) == 2 {
			t.Left = min(local.Data[1], MaxLookUps)
		}
		return t
	}
	return t
}

// trails are the data of the options to send, so that none is made for a query.
var trails = func() (all [MaxHops + 1][MaxLookUps + 1]string) {
	for hops := range all {
		for left := range all[hops] {
			all[hops][left] = string([]byte{byte(hops), byte(left)})
		}
	}
	return all
}()

// Hop marks a query that was forwarded so often before: it may come back, in our own zones'
// name or, through a member's ExternalName, in another.
func Hop(hops, left int) exchange.Option {
	return exchange.Option{Code: TrailOption, Data: trails[min(hops+1, MaxHops)][max(left, 0)]}
}

// ProbeEDNS returns what a member's DNS is probed with: as a query that is forwarded the
// first time.
func ProbeEDNS() exchange.EDNS {
	return exchange.EDNS{Size: exchange.DatagramSize, Option: Hop(0, MaxLookUps)}
}
