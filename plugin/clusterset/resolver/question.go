package resolver

import (
	"context"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// Question is what a client asks, of class IN. ReadQuestion makes it; its exported fields don't
// change.
type Question struct {
	// Name is as asked, in its case, and Type the type asked for.
	Name string
	Type uint16
	// Zone is the longest zone of the server block that holds the name.
	Zone *Zone
	// Members are those in force, nil before there is a ClusterSet.
	Members *members.Set
	// Parsed is what the name means in a cluster zone.
	Parsed query.Name
	// Addr is the address whose name it is, in a reverse zone; the zero Addr for a name that
	// isn't a whole address'.
	Addr netip.Addr
	// Member is whose name, or address, it is, nil for nobody's.
	Member *members.Member
	// owner is who answers for the name.
	owner owner
	// view is the member's data, loaded once; nil where they aren't watched.
	view *member.View

	// Client is who asks, and Request its message, not to be changed.
	Client  Client
	Request *dns.Msg
	// Trail is what servers like this one said of the question's way.
	Trail Trail
	// Received is when the question came.
	Received time.Time

	// room is for the question's Resolution, and sent for the query to its member.
	room Resolution
	sent exchange.Query
	// own is the budget of a question that isn't part of another: what lookUps returns.
	own budget
}

// Client is who asks, and the CoreDNS server that was asked, within which more can be asked.
type Client interface {
	// Address is the client's, that of its socket.
	Address() netip.Addr
	// OverStream reports whether the question came over a stream, so that the client can take
	// an answer of any size.
	OverStream() bool
	// ShowsAttempts reports whether the Resolution is to have its Attempts, and their messages.
	ShowsAttempts() (attempts, messages bool)
	// Serves reports whether the server serves a domain, as far as that is known soon.
	Serves(domain string) bool
	// LookUp asks the server the question with another name and type, through all its
	// plugins. The channel gets its reply, which is the caller's to change, or nil where it
	// has none; the channel is nil without a server. over is called when nobody is asked any
	// more, which may be later than ctx ends.
	LookUp(ctx context.Context, name string, qtype uint16, over func()) <-chan *dns.Msg
}

// owner is who answers for a name.
type owner uint8

const (
	byMember owner = iota
	// bySet are the members that have a service, together.
	bySet
	// byZone is this server, as the zone's authority; of names that are nobody's, too.
	byZone
	// byNext is the next plugin, and byNextUncached it too, but no cache is to keep it.
	byNext
	byNextUncached
	// byNobody is before there is a ClusterSet.
	byNobody
)

// suffix returns the name of the zone that the answer is from, in the question's case: the
// member's, or the server block's.
func (q *Question) suffix() string {
	if q.Parsed.Suffix != "" {
		return q.Parsed.Suffix
	}
	return q.Name[len(q.Name)-len(q.Zone.Name):]
}

// memberName returns what the member calls the name.
func (q *Question) memberName() string {
	if q.Addr.IsValid() {
		return q.Name
	}
	return q.Parsed.MemberName(q.Member.ClusterDomain)
}

// memberType returns the type that the member is asked for.
func (q *Question) memberType() uint16 {
	switch {
	case q.Addr.IsValid():
		return dns.TypePTR
	case q.Parsed.Kind == query.Protocol:
		return dns.TypeA
	}
	return q.Type
}

// asksExistence reports whether all that is to be known from the member is that there is such
// a Service, or such an address: of a name above SRV names, and of an address's for another
// type than PTR. (kubernetes denies an address that has a name, for any other type, and a
// resolver that minimises asks for A first.)
func (q *Question) asksExistence() bool {
	return q.Parsed.Kind == query.Protocol || q.Addr.IsValid() && q.Type != dns.TypePTR
}

// isLimited reports whether the member offers only some namespaces to other clusters. The local
// cluster's names are its own business.
func (q *Question) isLimited() bool {
	return q.Member.Namespaces != nil && q.Member != q.Members.Local
}

// memberError returns err, of the question's member; what a client is told of it stays apart.
func (q *Question) memberError(err error) error { return q.Member.Failed(err) }
