package clusterset

import (
	"context"
	"slices"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

const (
	// maxLookups bounds look-ups within look-ups, as CoreDNS's file plugin does:
	// two clusters' ExternalNames may point at each other.
	maxLookups = 8
	// elsewhereTime is how long a server that doesn't serve the local cluster's
	// domain isn't asked for it again.
	elsewhereTime = 30 * time.Second
)

// lookup asks this server itself, through all its plugins, with the client's own
// EDNS. The reply is the caller's to change; a plugin may have lent its own
// records. It is nil where there is no server (a test), or too deep.
func (q *ask) lookup(name string, qtype uint16) *dns.Msg {
	depth := q.depth()
	server, ok := q.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok || depth >= maxLookups {
		return nil
	}
	ctx := context.WithValue(q.ctx, dnsserver.LoopKey{}, depth+1)
	ctx = context.WithValue(ctx, budget{}, q.deadline())
	state := request.Request{W: q.state.W, Req: q.state.Req}
	inner := state.NewWithQuestion(name, qtype)
	w := nonwriter.New(q.state.W)
	server.ServeDNS(ctx, w, inner.Req)
	if w.Msg == nil {
		return nil
	}
	return w.Msg.Copy()
}

// depth is how many look-ups this one is within.
func (q *ask) depth() int {
	depth, _ := q.ctx.Value(dnsserver.LoopKey{}).(int)
	return depth
}

// askHere asks this server's own plugins for a name of the local cluster. It is
// nil where no block of this server serves its domain.
func (q *ask) askHere(asked string) *dns.Msg {
	now := time.Now()
	if now.UnixNano() < q.p.elsewhere.Load() {
		return nil
	}
	reply := q.lookup(asked, q.state.QType())
	if reply != nil && isFrom(reply, q.member.ClusterDomain) {
		return reply
	}
	q.p.elsewhere.Store(now.Add(elsewhereTime).UnixNano())
	return nil
}

// isFrom tells whether a server of the domain gave the reply: with authority,
// and, where it holds no answer, with the domain's SOA.
func isFrom(reply *dns.Msg, domain string) bool {
	if !reply.Authoritative {
		return false
	}
	return len(reply.Answer) > 0 || slices.ContainsFunc(reply.Ns, func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeSOA && query.InZone(rr.Header().Name, domain)
	})
}
