package exchange

import (
	"time"

	"github.com/miekg/dns"
)

// Query is one question of class IN for the member.
type Query struct {
	// Name is asked for: fully qualified, as a message's question has it in
	// miekg/dns (RFC 1035, section 5.1). Type is the type asked for.
	Name string
	Type uint16
	// These are the header's bits of RFC 1035, section 4.1.1, and RFC 4035,
	// section 3.
	RecursionDesired, AuthenticatedData, CheckingDisabled bool
	EDNS                                                  EDNS
	// TCP is set when the client came over a stream, so that it can take an
	// answer of any size.
	TCP bool
	// Deadline ends the query, whatever attempts are left.
	Deadline time.Time
	// Observe, when not nil, is told of each attempt when it ends.
	Observe func(Attempt)
}

// EDNS is a query's OPT record: RFC 6891, section 6.1.
type EDNS struct {
	// Size is the largest reply that the client takes over UDP, in bytes; 0 is a
	// query without EDNS. No upstream is asked for more than DatagramSize at first; for
	// less, it is RFC 1035's 512 bytes.
	Size uint16
	// DO is set when DNSSEC's records are wanted: RFC 3225.
	DO     bool
	Option Option
}

// Option is an EDNS option, whose meaning is the caller's. Code 0 is none. A failing reply
// with an additional record of that type is Spent.
type Option struct {
	Code uint16
	// Data is its bytes, of which there are few.
	Data string
}

// takesMore tells whether the client said that it can take more than the 512
// bytes of RFC 1035, which an upstream may have kept to.
func (q *Query) takesMore() bool { return q.EDNS.Size > dns.MinMsgSize }
