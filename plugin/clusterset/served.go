package clusterset

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

const (
	// servedWait is how long a query waits to learn whether this server serves the local
	// cluster's domain. Its own plugins say so at once; what takes longer was passed on to
	// somebody else.
	servedWait = 50 * time.Millisecond
	// servedRetry is after what time a server that didn't reply, or failed, is asked again.
	servedRetry = 30 * time.Second
	// servedTimeout bounds the asking.
	servedTimeout = 10 * time.Second
)

// served are the domains that this server was asked for. Whether a server block of it serves
// one is found out once, for the Corefile, by asking for the domain's SOA beside the queries.
type served struct {
	mu       sync.Mutex
	byDomain map[string]*servedDomain
}

type servedDomain struct {
	known chan struct{} // closed when served is set
	// served is set once, before known is closed.
	served bool
	// retry is when to ask anew, zero for never.
	retry time.Time
}

// Serves implements question.Client, as far as it is known within servedWait.
func (q *client) Serves(domain string) bool {
	server, ok := q.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
		return false
	}
	d := q.plugin.served.domain(domain, server)
	select {
	case <-d.known:
		return d.served
	default:
	}
	wait := time.NewTimer(servedWait)
	defer wait.Stop()
	select {
	case <-d.known:
		return d.served
	case <-wait.C:
		return false
	}
}

// isKnown reports whether it is known that this server serves a domain.
func (s *served) isKnown(domain string) bool {
	s.mu.Lock()
	d := s.byDomain[domain]
	s.mu.Unlock()
	if d == nil {
		return false
	}
	select {
	case <-d.known:
		return d.served
	default:
		return false
	}
}

// domain returns the domain's entry, which may not be known yet.
func (s *served) domain(domain string, server *dnsserver.Server) *servedDomain {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.byDomain[domain]
	if d != nil && !d.isOutdated() {
		return d
	}
	d = &servedDomain{known: make(chan struct{})}
	if s.byDomain == nil {
		s.byDomain = make(map[string]*servedDomain)
	}
	s.byDomain[domain] = d
	go d.find(domain, server)
	return d
}

func (d *servedDomain) isOutdated() bool {
	select {
	case <-d.known:
		return !d.retry.IsZero() && time.Now().After(d.retry)
	default:
		return false
	}
}

// find asks the server, through all its plugins, for the domain's SOA.
func (d *servedDomain) find(domain string, server *dnsserver.Server) {
	defer close(d.known)
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), dnsserver.Key{}, server), servedTimeout)
	defer cancel()
	m := new(dns.Msg)
	m.SetQuestion(domain, dns.TypeSOA)
	reply := serve(question.WithLookUp(ctx, domain, dns.TypeSOA), server, nobody{}, m)
	if reply == nil || reply.Rcode == dns.RcodeServerFailure {
		d.retry = time.Now().Add(servedRetry)
		return
	}
	d.served = isFrom(reply, domain)
}

// isFrom reports whether a server of the domain gave the reply to its SOA.
func isFrom(reply *dns.Msg, domain string) bool {
	return reply.Authoritative && slices.ContainsFunc(slices.Concat(reply.Answer, reply.Ns), func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeSOA && query.InZone(rr.Header().Name, domain)
	})
}
