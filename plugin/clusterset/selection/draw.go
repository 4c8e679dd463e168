package selection

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

// Draw is one client's at one time, for one name, whatever the type of its question. It is
// what is random in a choice.
type Draw struct{ hash uint64 }

// NewDraw returns the draw for a client's address, IPv4-mapped or not, and a service's key in
// lower case. It is the same until the end of the current window. The window is as long as
// replies are kept (the TTL, or the session affinity's timeout), a second at the least; its
// edge differs from client to client and from name to name, so that not all change at once.
func NewDraw(client netip.Addr, name string, now time.Time, window time.Duration) Draw {
	address := client.As16()
	hash := mix(binary.BigEndian.Uint64(address[:8]))
	hash = mix(hash ^ binary.BigEndian.Uint64(address[8:]))
	hash = mix(hash ^ hashString(name))

	length := uint64(max(window, time.Second))
	current := (uint64(now.UnixNano()) + hash%length) / length
	return Draw{mix(hash ^ mix(current))}
}

// Rank returns a member's place in the client's order, the highest first. Who has to leave
// out some of many members leaves out the last, which differ from client to client.
func (d Draw) Rank(member string) uint64 { return d.rank(hashString(member)) }

func (d Draw) rank(member uint64) uint64 { return mix(d.hash ^ member) }

// percent returns a number below 100, which doesn't depend on those of the members.
func (d Draw) percent() int {
	const other = 0x9e3779b97f4a7c15 // no member's hash, but for chance
	high, _ := bits.Mul64(d.rank(other), 100)
	return int(high)
}

// uniform returns a member's number between 0 and 1, both excluded.
func (d Draw) uniform(member uint64) float64 {
	return (float64(d.rank(member)>>11) + 0.5) / (1 << 53)
}

// hashString returns FNV-1a of s, mixed. No seed is in it: all replicas of a server have to
// agree.
func hashString(s string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		hash = (hash ^ uint64(s[i])) * 0x100000001b3
	}
	return mix(hash)
}

// mix is the finalizer of MurmurHash3: one bit of h changes half of the result's.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
