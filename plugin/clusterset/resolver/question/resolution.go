package question

import (
	"cmp"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
)

// Resolution is how one question was answered: a value made once, from which the reply, the
// metrics, the metadata, the trace, dnstap, the errors and the debug log are read.
type Resolution struct {
	Question *Question
	// Member is whose answer it is, nil where the question is about none.
	Member *members.Member
	Source Source
	// Action is what is to be done.
	Action Action
	// Cache is what the cache of forwarded answers had.
	Cache Cached
	// Upstream is the one whose reply it is, nil where none was asked.
	Upstream *model.Upstream
	// Attempts are the messages to upstreams, where the client shows them.
	Attempts []Attempt
	// NotFound is whether the question's own name doesn't exist, so that it may fall through.
	NotFound bool
	// Chosen is who answers a name over the whole ClusterSet, and Parts are how members were
	// asked for it.
	Chosen services.Chosen
	Parts  []*Resolution
	// Rare is what most Resolutions have nothing of.
	Rare Rare

	// The reply's header (RFC 1035, section 4.1.1) and sections. The records are the
	// Resolution's own.
	Authoritative, RecursionAvailable, Truncated bool
	Rcode                                        int
	Answer, Authority, Additional                []dns.RR
	// Code and Text are the extended error (RFC 8914), for a client that sent EDNS. Code
	// NoExtendedError is none.
	Code uint16
	Text string
	// Err is what went wrong, for this server's operator, and StaleReason why a stale answer
	// was given.
	Err, StaleReason error
}

// NoExtendedError is the Code of no extended error at all.
const NoExtendedError = members.NoExtendedError

// Action is what is to be done with a Resolution.
type Action uint8

const (
	// Reply is to be written.
	Reply Action = iota
	// ReplyRcode is to have CoreDNS write its Rcode, in a way that the cache plugin doesn't
	// keep.
	ReplyRcode
	// AskNext is to pass the query on to the next plugin.
	AskNext
	// AskNextUncached is that too, in a way that the cache plugin doesn't keep for long.
	AskNextUncached
)

// Source is where an answer came from.
type Source uint8

const (
	// Forward is the member's DNS.
	Forward Source = iota
	// Local is this server itself, for the local cluster.
	Local
	// OfZone is this server as the zone's authority: no member was asked.
	OfZone
	// FromCache is what the member's DNS said before.
	FromCache
	// Data are the member's.
	Data
	// Stale is stale data, or an expired cached answer.
	Stale
	// Sources is how many there are.
	Sources
)

// String is the word for it in metrics.
func (s Source) String() string {
	return [Sources]string{"forward", "local", "zone", "cache", "data", "stale"}[s]
}

// Exclusion is why a record was left out.
type Exclusion uint8

const (
	// Guarded is an address, or the name of one, that can't be the member's own.
	Guarded Exclusion = iota
	// OutOfReach is an address that clients here can't connect to, with nothing to stand for it.
	OutOfReach
	// NotExported is the name of a service that isn't exported, or whose namespace isn't offered.
	NotExported
	// Exclusions is how many there are.
	Exclusions
)

// Rare is what most Resolutions have nothing of.
type Rare struct {
	// Excluded counts the records that were left out, by why.
	Excluded [Exclusions]uint16
	// Prefetched is whether a cached answer was asked for anew before it expired, and Expired
	// whether an expired one was given.
	Prefetched, Expired bool
	// Busy is whether too many queries were in flight for the member, and Exhausted whether
	// the question has made too many look-ups.
	Busy, Exhausted bool
}

// Cached is what the cache of forwarded answers had for a question.
type Cached struct {
	// Result is CacheUnused where there is none, or it wasn't needed.
	Result CacheResult
	// Kind is that of a hit.
	Kind answercache.Kind
}

// CacheResult is whether the cache had a fresh answer.
type CacheResult uint8

// The results.
const (
	CacheUnused CacheResult = iota
	CacheHit
	CacheMiss
)

// Attempt is one message to one upstream.
type Attempt struct {
	Upstream model.Upstream
	// Local is the address that it left from, nil when it didn't; Proto is "udp" or "tcp".
	Local      net.Addr
	Proto      string
	Start, End time.Time
	// Replied is whether there was a reply. Query and Reply are the messages, where the client
	// shows them.
	Replied      bool
	Query, Reply []byte
	Err          error
}

// String is a line for the debug log.
func (r *Resolution) String() string {
	var b strings.Builder
	b.WriteString(r.Question.Name + " " + dns.TypeToString[r.Question.Type] + ": ")
	switch r.Action {
	case AskNext, AskNextUncached:
		b.WriteString("next plugin")
		return b.String()
	}
	b.WriteString(dns.RcodeToString[r.Rcode] + " from " + r.Source.String())
	if r.Member != nil {
		b.WriteString(" of member " + r.Member.Name)
	}
	if r.Upstream != nil {
		b.WriteString(" at " + r.Upstream.String())
	}
	if chosen := r.Chosen.String(); chosen != "" {
		b.WriteString(", " + chosen)
	}
	if err := cmp.Or(r.Err, r.StaleReason); err != nil {
		b.WriteString(": " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return b.String()
}
