package clusterset

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

const (
	// hereWait is how long a query waits to learn whether this server serves the
	// local cluster's domain. Its own plugins say so at once; what takes longer
	// was passed on to somebody else.
	hereWait = 50 * time.Millisecond
	// hereAgain is when a server is asked again that said nothing, or failed.
	hereAgain = 30 * time.Second
	// hereTimeout bounds the asking.
	hereTimeout = 10 * time.Second
)

// verdict is whether a server block of this server serves a domain. It is found
// out once, for the Corefile, by asking for the domain's SOA beside the queries.
type verdict struct {
	known chan struct{} // closed when serves is set
	// serves is set once, before known is closed.
	serves bool
	// again is when to ask anew, zero for never.
	again time.Time
}

// verdicts are the domains' verdicts.
type verdicts struct {
	mu       sync.Mutex
	byDomain map[string]*verdict
}

// isHere tells whether a server block of this server serves the local cluster's
// domain, as far as that is known within hereWait.
func (q *ask) isHere() bool {
	server, ok := q.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
		return false
	}
	v := q.p.here.of(q.member.ClusterDomain, server)
	select {
	case <-v.known:
		return v.serves
	default:
	}
	wait := time.NewTimer(hereWait)
	defer wait.Stop()
	select {
	case <-v.known:
		return v.serves
	case <-wait.C:
		return false
	}
}

// of gives the domain's verdict, which may not be known yet.
func (vs *verdicts) of(domain string, server *dnsserver.Server) *verdict {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v := vs.byDomain[domain]
	if v != nil && !v.outdated() {
		return v
	}
	v = &verdict{known: make(chan struct{})}
	if vs.byDomain == nil {
		vs.byDomain = make(map[string]*verdict)
	}
	vs.byDomain[domain] = v
	go v.find(domain, server)
	return v
}

func (v *verdict) outdated() bool {
	select {
	case <-v.known:
		return !v.again.IsZero() && time.Now().After(v.again)
	default:
		return false
	}
}

// find asks the server, through all its plugins, for the domain's SOA.
func (v *verdict) find(domain string, server *dnsserver.Server) {
	defer close(v.known)
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), dnsserver.Key{}, server), hereTimeout)
	defer cancel()
	m := new(dns.Msg)
	m.SetQuestion(domain, dns.TypeSOA)
	reply := serve(context.WithValue(ctx, withinKey{}, &within{name: domain, qtype: dns.TypeSOA, budget: newBudget(maxLookups)}), server, nobody{}, m)
	if reply == nil || reply.Rcode == dns.RcodeServerFailure {
		v.again = time.Now().Add(hereAgain)
		return
	}
	v.serves = isFrom(reply, domain)
}

// isFrom tells whether a server of the domain gave the reply to its SOA.
func isFrom(reply *dns.Msg, domain string) bool {
	return reply.Authoritative && slices.ContainsFunc(slices.Concat(reply.Answer, reply.Ns), func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeSOA && query.InZone(rr.Header().Name, domain)
	})
}

// nobody is the client of a question of our own.
type nobody struct{ dns.ResponseWriter }

func (nobody) LocalAddr() net.Addr  { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (nobody) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }
