package clusterset

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

var errNotReady = errors.New("no ClusterSet yet")

// ServeDNS implements plugin.Handler.
func (p *Clusterset) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) != 1 {
		return dns.RcodeFormatError, nil
	}
	zone := p.zone(r.Question[0].Name)
	if zone == "" {
		return plugin.NextOrFailure(pluginName, p.Next, ctx, w, r)
	}
	if r.Opcode != dns.OpcodeQuery { // a NOTIFY: nothing here is another server's copy
		return dns.RcodeNotImplemented, nil
	}
	switch r.Question[0].Qtype {
	case dns.TypeAXFR, dns.TypeIXFR:
		return dns.RcodeRefused, nil
	}
	if r.Question[0].Qclass != dns.ClassINET {
		return dns.RcodeRefused, nil
	}
	growStack()
	q := &ask{p: p, ctx: ctx, state: request.Request{W: w, Req: r}, qname: r.Question[0].Name, zone: zone, snap: p.snapshot.Load(), labeled: hasMetadata(ctx), serial: soaSerial}
	status, err := q.serve()
	// Here, not where they are called for: these two take the most of a query's small
	// stack.
	if q.asks {
		status, err = q.forward()
	}
	if q.done == nil {
		return status, err
	}
	if err := w.WriteMsg(q.done); err != nil {
		return dns.RcodeServerFailure, err
	}
	return status, err
}

// serve finds the reply, or passes the query on.
func (q *ask) serve() (int, error) {
	switch {
	case query.IsReverse(q.zone):
		return q.reverse()
	case q.snap == nil:
		return q.notReady()
	}
	return q.name()
}

// zone is the longest configured zone that holds qname, or "".
func (p *Clusterset) zone(qname string) string {
	longest := ""
	for _, zone := range p.zones {
		if len(zone) > len(longest) && query.InZone(qname, zone) {
			longest = zone
		}
	}
	return longest
}

// ask is one question on its way: what it needs at every stop.
type ask struct {
	p     *Clusterset
	ctx   context.Context //nolint:containedctx // lives as long as the query
	state request.Request
	qname string // the question's name, in its case
	zone  string
	snap  *snapshot
	// member is the one that the name belongs to, nil before it is known.
	member *clusterMember
	// suffix is the zone that the answer is from, in the question's case: the
	// member's zone, or the cluster zone.
	suffix  string
	labeled bool
	// n is the name, or addr the address whose name is asked for.
	n    query.Name
	addr netip.Addr
	// fallback is what stale data there are, should the member's DNS fail.
	fallback *member.View
	// old is a stale answer, should the member's DNS fail or be slow; wrong is why what
	// is stale was given.
	old   *answercache.Answer
	wrong error
	// age is how long a negative answer was kept, in seconds.
	age uint32
	// exports are the data that tell which services are exported, nil where all are.
	exports *member.View
	// budget is the look-ups that are left, once one was made.
	budget *budget
	// asks is set where the member is to be asked.
	asks bool
	// done is the reply, nil where there is none to write.
	done *dns.Msg
	// serial is that of the zone's SOA.
	serial uint32
	// end is the deadline, once somebody asked for it.
	end time.Time
}

// name answers a name under a cluster zone.
func (q *ask) name() (int, error) {
	qname := q.qname
	n := &q.n
	*n = query.Parse(qname, len(q.zone), q.snap)
	q.suffix = qname[len(qname)-len(q.zone):]
	if done, status, err := q.zoneOwn(); done {
		return status, err
	}
	q.member = q.snap.member(n.Cluster)
	q.suffix = n.Suffix
	q.label(ctxCluster, q.member.Name)
	if n.Kind < query.Branch {
		if done, status, err := q.memberOwn(); done {
			return status, err
		}
	}
	return q.resolve()
}

// asked is what the member calls the name.
func (q *ask) asked() string {
	if q.addr.IsValid() {
		return q.qname
	}
	return q.n.MemberName(q.member.ClusterDomain)
}

// asksExistence reports whether all that is to be known from the member is that there
// is such a Service, or such an address: of a name above SRV names, and of an address's
// for another type than PTR. (kubernetes denies an address that has a name, for any
// other type, and a resolver that minimises asks for A first.)
func (q *ask) asksExistence() bool {
	return q.n.Kind == query.Protocol || q.addr.IsValid() && q.state.QType() != dns.TypePTR
}

// askedType is the type that the member is asked for.
func (q *ask) askedType() uint16 {
	switch {
	case q.addr.IsValid():
		return dns.TypePTR
	case q.n.Kind == query.Protocol:
		return dns.TypeA
	}
	return q.state.QType()
}

// reverse answers the name of an address. Those of no member, of several, and of
// the local cluster are the next plugin's, as is everything while there is no
// ClusterSet: kubernetes, behind this plugin, answers for its own. So is what a
// clusterset asks while it isn't known which member this one is: it may be the
// same one, that took this server for another.
func (q *ask) reverse() (int, error) {
	qname := q.qname
	q.suffix = qname[len(qname)-len(q.zone):]
	if q.snap == nil {
		return q.unowned()
	}
	addr, isAddress := query.Address(qname)
	if !isAddress {
		if done, status, err := q.reverseOwn(); done {
			return status, err
		}
		return q.unowned()
	}
	owner, shared := q.snap.owner(addr)
	switch {
	case owner == nil || shared || q.p.Next != nil && owner == q.snap.local:
		return q.unowned()
	case q.p.Next != nil && q.snap.local == nil && hops(q.state.Req) > 0:
		return q.nextsOwn()
	}
	q.member, q.addr = owner, addr
	q.label(ctxCluster, q.member.Name)
	return q.resolve()
}

// unowned answers a reverse name that isn't ours: the next plugin's, or, where there
// is none, that of a zone which is ours alone.
func (q *ask) unowned() (int, error) {
	switch {
	case q.p.Next != nil:
		return q.next()
	case q.snap == nil:
		return q.notReady()
	}
	return q.nameError()
}

func (q *ask) next() (int, error) {
	return plugin.NextOrFailure(pluginName, q.p.Next, q.ctx, q.state.W, q.state.Req)
}

// nextsOwn gives what the next plugin has the say about, in a way that no cache keeps for
// long: it is given for an option that a client can forge, and another client is told what
// the member says. The cache plugin keeps no denial without an SOA, and what has a TTL of 0
// for its least. What the next plugin got from elsewhere is nobody's word about a member's
// address.
func (q *ask) nextsOwn() (int, error) {
	w := nonwriter.New(q.state.W)
	_, err := plugin.NextOrFailure(pluginName, q.p.Next, q.ctx, w, q.state.Req)
	m := w.Msg
	named := m != nil && m.Rcode == dns.RcodeSuccess && m.Authoritative && len(m.Answer) > 0
	if !named && (m == nil || m.Rcode != dns.RcodeNameError) {
		return dns.RcodeRefused, err
	}
	q.done = m.Copy() // a plugin may have lent its own records
	for _, rr := range q.done.Answer {
		rr.Header().Ttl = 0
	}
	q.done.Ns = slices.DeleteFunc(q.done.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
	return dns.RcodeSuccess, nil
}
