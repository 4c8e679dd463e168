package guard

import (
	"net/netip"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// The address guard: no member can take over another's clients, or point them at themselves or
// at a metadata service.

// Trusts reports whether a member of the set may give addr as its own. A member that lists its
// pods' CIDRs has said where all its addresses are.
func Trusts(set *members.Set, m *members.Member, addr netip.Addr) bool {
	return (len(m.PodCIDRs) == 0 || m.Declares(addr)) && IsFrom(set, m, addr)
}

// IsFrom reports whether addr may be given for a name of m, or of no member where m is nil. An
// IPv6 address that carries an IPv4 one is judged by both.
func IsFrom(set *members.Set, m *members.Member, addr netip.Addr) bool {
	return isHarmless(set, m, addr) && model.EachCarried(addr, func(carried netip.Addr) bool { return isHarmless(set, m, carried) })
}

// isHarmless reports whether addr is neither an address that no service has, nor another
// member's than m; m is nil for a name of none.
func isHarmless(set *members.Set, m *members.Member, addr netip.Addr) bool {
	switch {
	case model.IsHosts(addr):
		return false
	case m != nil && m.Declares(addr):
		return true
	}
	return !model.IsReserved(addr) && !set.IsOthers(m, addr)
}

// IsFromHere is isFrom, where addr is given as it is: of a member that isn't reached by all of its
// addresses only those in reach are its own here. The others mean somebody else's.
func IsFromHere(set *members.Set, m *members.Member, addr netip.Addr) bool {
	if reach := set.Reach[m]; reach != nil && !Reaches(m.Cluster, reach, addr) {
		m = nil
	}
	return IsFrom(set, m, addr)
}
