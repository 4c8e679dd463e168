package answercache

import (
	"strings"

	"github.com/miekg/dns"
)

// Key is all of a question of class IN that changes the reply.
type Key struct {
	// Name is fully qualified and in lower case: RFC 4343.
	Name string
	Type uint16
	bits bits
}

// bits are those of the query's header (RFC 1035, section 4.1.1; RFC 4035, section
// 3) and of its EDNS (RFC 3225).
type bits uint8

const (
	bitRD bits = 1 << iota
	bitAD
	bitCD
	bitDO
)

// KeyOf returns the key of a query, which has one question. Where the name is in lower
// case, as most are, it allocates nothing.
func KeyOf(r *dns.Msg) Key {
	k := Key{Name: r.Question[0].Name, Type: r.Question[0].Qtype}
	for i := range len(k.Name) {
		if 'A' <= k.Name[i] && k.Name[i] <= 'Z' {
			k.Name = strings.ToLower(k.Name)
			break
		}
	}
	if r.RecursionDesired {
		k.bits |= bitRD
	}
	if r.AuthenticatedData {
		k.bits |= bitAD
	}
	if r.CheckingDisabled {
		k.bits |= bitCD
	}
	if o := r.IsEdns0(); o != nil && o.Do() {
		k.bits |= bitDO
	}
	return k
}
