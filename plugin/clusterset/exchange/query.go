package exchange

import (
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Query is one question of class IN for the member.
type Query struct {
	// Name is fully qualified, as a message's question has it in miekg/dns (RFC 1035,
	// section 5.1).
	Name string
	Type uint16
	// The header's bits of RFC 1035, section 4.1.1, and RFC 4035, section 3.
	RecursionDesired, AuthenticatedData, CheckingDisabled bool
	// EDNS is asked with. A failing reply with an additional record of its option's type
	// is Spent.
	EDNS EDNS
	// TCP is set when the client came over a stream, so that it can take an
	// answer of any size.
	TCP bool
	// Deadline ends the query, whatever attempts are left.
	Deadline time.Time
	// Observe, when not nil, is called with each attempt when it ends.
	Observe func(Attempt)
}

type (
	// EDNS is a query's: see package wire.
	EDNS = wire.EDNS
	// Option is an option of it.
	Option = wire.Option
)

// Sizes of replies over UDP, in bytes: see package wire.
const (
	MaxSize      = wire.MaxSize
	DatagramSize = wire.DatagramSize
)

// Attempt is one message to one upstream. One that another's reply came before has
// neither reply nor error.
type Attempt struct {
	Upstream model.Upstream
	// Local is the address the query left from, nil when it didn't.
	Local net.Addr
	// Proto is "udp" or "tcp".
	Proto string
	Start time.Time
	// Query is the observer's own.
	Query *dns.Msg
	// Reply is nil when Err is not.
	Reply *dns.Msg
	Err   error
}

// pack packs the query, in a frame of its own: it isn't on the way to the socket.
//
//go:noinline
func (q *Query) pack() (*wire.Query, error) {
	return wire.Pack(&wire.Question{
		Name: q.Name, Type: q.Type,
		RecursionDesired: q.RecursionDesired, AuthenticatedData: q.AuthenticatedData, CheckingDisabled: q.CheckingDisabled,
		EDNS: q.EDNS,
	})
}

// takesMore reports whether the client said that it can take more than the 512
// bytes of RFC 1035, which an upstream may have kept to.
func (q *Query) takesMore() bool { return q.EDNS.Size > dns.MinMsgSize }

// form returns what an upstream is sent.
func (q *Query) form(now time.Time, u *upstream, stream bool) wire.Form {
	switch {
	case q.EDNS.Size == 0:
		return wire.Usual
	case u.edns.isMissing(now):
		return wire.WithoutEDNS
	case q.TCP && !stream:
		return wire.Large
	}
	return wire.Usual
}

// isSpent reports whether a failing reply has a record whose type is the code of the
// query's option: so a server like this one reports that the question's budget of look-ups
// is spent. That is the question's failure, not the upstream's, and so the next one's too.
func (q *Query) isSpent(reply *dns.Msg) bool {
	code := q.EDNS.Option.Code
	return code != 0 && slices.ContainsFunc(reply.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype == code })
}

// observe reports an attempt that has ended.
func (q *Query) observe(a *attempt, reply *dns.Msg, err error) {
	if q.Observe == nil {
		return
	}
	query, proto := new(dns.Msg), "tcp"
	_ = query.Unpack(a.Bytes()) // which we packed
	query.Id = 0
	if !a.Stream || a.to.address.Scheme == model.QUIC {
		proto = "udp"
	}
	q.Observe(Attempt{Upstream: a.to.address, Local: a.Local, Proto: proto, Start: a.At, Query: query, Reply: reply, Err: err})
}
