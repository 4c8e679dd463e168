package clusterset

import (
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
)

const (
	// hopsOption is the EDNS option that tells servers like this one of a query's way:
	// how often clusterset has forwarded it, in one byte, and how many look-ups its
	// question may still make, in another; and the type of the record that says in the
	// reply that there was none left. As an option's code it is for local use (RFC 6891,
	// section 9), as a record's type for private use (RFC 6895, section 3.1).
	hopsOption = 0xFFC5
	// maxHops ends a loop: members whose DNS is this server, or each other's. The
	// reply is REFUSED, which the cache plugin doesn't keep: a client can forge
	// the option.
	maxHops = 3
	// maxLookups is how many look-ups a question may make, here and in servers like
	// this one behind it: twice as many CNAMEs as CoreDNS's kubernetes plugin follows.
	// Bounds for each step alone would multiply (the NXNS attack; BIND has
	// max-recursion-queries for that).
	maxLookups = 24
)

// trail is what the option says.
type trail struct {
	// marked is whether there is one: then nothing is kept of what comes of the query.
	marked bool
	hops   uint8
	left   uint8
}

func trailOf(r *dns.Msg) trail {
	t := trail{left: maxLookups}
	o := r.IsEdns0()
	if o == nil {
		return t
	}
	for _, option := range o.Option {
		local, ok := option.(*dns.EDNS0_LOCAL)
		if !ok || local.Code != hopsOption || len(local.Data) == 0 || len(local.Data) > 2 {
			continue
		}
		t.marked, t.hops = true, local.Data[0]
		if len(local.Data) == 2 {
			t.left = min(local.Data[1], maxLookups)
		}
		return t
	}
	return t
}

// hops is how often the query was forwarded by clusterset on its way here.
func hops(r *dns.Msg) uint8 { return trailOf(r).hops }

// trails are the data of the options to send, so that none is made for a query.
var trails = func() (all [maxHops + 1][maxLookups + 1]string) {
	for hops := range all {
		for left := range all[hops] {
			all[hops][left] = string([]byte{byte(hops), byte(left)})
		}
	}
	return all
}()

// hop marks a query that was forwarded so often before: it may come back, in our own
// zones' name or, through a member's ExternalName, in another.
func hop(hops, left int) exchange.Option {
	return exchange.Option{Code: hopsOption, Data: trails[min(hops+1, maxHops)][max(left, 0)]}
}

// hop marks the query that this question makes.
func (q *ask) hop() exchange.Option {
	t := trailOf(q.state.Req)
	left := int(t.left)
	if w := q.within(); w != nil {
		left = int(w.budget.left.Load())
	}
	return hop(int(t.hops), left)
}

// probeEDNS is what a member's DNS is probed with: as a query that is forwarded the
// first time.
func probeEDNS() exchange.EDNS {
	return exchange.EDNS{Size: exchange.DatagramSize, Option: hop(0, maxLookups)}
}
