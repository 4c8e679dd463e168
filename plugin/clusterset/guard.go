package clusterset

import (
	"errors"
	"net/netip"
)

// trusts tells whether the member may claim addr: DESIGN.md section 6. A member
// that lists its pods' CIDRs has said where all its addresses are; of another
// one, what can't be a cluster's address or is another member's is refused, so
// that no member can take over another's clients or point them at themselves.
func (q *ask) trusts(addr netip.Addr) bool {
	if q.member.Owns(addr) {
		return true
	}
	if len(q.member.PodCIDRs) > 0 {
		return false
	}
	if addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() {
		return false
	}
	if q.snap.local == nil { // all members count as one network
		owner, shared := q.snap.owner(addr)
		return owner == nil && !shared
	}
	owner, shared := q.snap.ranges.Owner(q.member.Network, addr)
	return owner == nil && !shared
}

func errAddress(member string) error {
	return errors.New("member " + member + ": every address it gave is outside its CIDRs or another's")
}
