package question

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// Question is what a client asks, of class IN. Package resolver makes it (ReadQuestion); all but
// View, Room, Sent and Budget stays as it is then.
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
	// Owner is who answers for the name.
	Owner Owner
	// View is the member's data, loaded once; nil where they aren't watched.
	View *member.View

	// Client is who asks, and Request its message, not to be changed.
	Client  Client
	Request *dns.Msg
	// Trail is what servers like this one said of the question's way.
	Trail Trail
	// Received is when the question came.
	Received time.Time

	// Room is for the question's Resolution (Begin), and Sent for the query to its member: one
	// piece of memory with it.
	Room Resolution
	Sent exchange.Query
	// Budget is that of a question that isn't part of another; LookUps has any question's.
	Budget Budget
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

// Owner is who answers for a name.
type Owner uint8

const (
	// ByMember is the Question's Member.
	ByMember Owner = iota
	// BySet are the members that have a service, together.
	BySet
	// ByZone is this server, as the zone's authority; of names that are nobody's, too.
	ByZone
	// ByNext is the next plugin.
	ByNext
	// ByNextUncached is that too, but no cache is to keep what it says.
	ByNextUncached
	// ByNobody is before there is a ClusterSet.
	ByNobody
)

// Suffix returns the name of the zone that the answer is from, in the question's case: the
// member's, or the server block's.
func (q *Question) Suffix() string {
	if q.Parsed.Suffix != "" {
		return q.Parsed.Suffix
	}
	return q.Name[len(q.Name)-len(q.Zone.Name):]
}

// MemberName returns what the member calls the name.
func (q *Question) MemberName() string {
	if q.Addr.IsValid() {
		return q.Name
	}
	return q.Parsed.MemberName(q.Member.ClusterDomain)
}

// MemberType returns the type that the member is asked for.
func (q *Question) MemberType() uint16 {
	switch {
	case q.Addr.IsValid():
		return dns.TypePTR
	case q.Parsed.Kind == query.Protocol:
		return dns.TypeA
	}
	return q.Type
}

// AsksExistence reports whether all that is to be known from the member is that there is such
// a Service, or such an address: of a name above SRV names, and of an address's for another
// type than PTR. (kubernetes denies an address that has a name, for any other type, and a
// resolver that minimises asks for A first.)
func (q *Question) AsksExistence() bool {
	return q.Parsed.Kind == query.Protocol || q.Addr.IsValid() && q.Type != dns.TypePTR
}

// IsLimited reports whether the member offers only some namespaces to other clusters. The local
// cluster's names are its own business.
func (q *Question) IsLimited() bool {
	return q.Member.Namespaces != nil && q.Member != q.Members.Local
}

// MemberError returns err, of the question's member; what a client is told of it stays apart.
func (q *Question) MemberError(err error) error { return q.Member.Failed(err) }

// SameName compares names without regard to case.
func SameName(a, b string) bool { return strings.EqualFold(a, b) }
