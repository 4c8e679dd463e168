package clusterset

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// within is a look-up that a query is within, and the one around that, in the query's
// context. (CoreDNS's LoopKey is left to file, which takes more than eight of anybody's
// for a loop of its own.)
type within struct {
	name  string
	qtype uint16
	outer *within
	// budget is that of the question it is made for.
	budget *budget
}

// has tells whether that is being looked up, as where two clusters' ExternalNames point
// at each other.
func (w *within) has(name string, qtype uint16) bool {
	for ; w != nil; w = w.outer {
		if w.qtype == qtype && strings.EqualFold(w.name, name) {
			return true
		}
	}
	return false
}

type withinKey struct{}

// Why a look-up within this server gives nothing.
var (
	errNoServer = errors.New("no server to look up in")
	errLoop     = errors.New("a look-up within the same one")
	errLate     = errors.New("a look-up within this server took too long")
)

// lookup asks this server itself, through all its plugins, with the client's own
// EDNS, until the query's deadline. The reply is the caller's to change; a plugin
// may have lent its own records. over is called when nobody is asked any more, which
// may be later.
func (q *ask) lookup(name string, qtype uint16, over func()) (*dns.Msg, error) {
	server, ok := q.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	outer := q.within()
	switch {
	case !ok:
		over()
		return nil, errNoServer
	case outer.has(name, qtype):
		over()
		return nil, errLoop
	case !q.lookups().take(1):
		over()
		return nil, errLookups
	}
	ctx := context.WithValue(q.apart(), withinKey{}, &within{name, qtype, outer, q.lookups()})
	ctx, cancel := context.WithDeadline(ctx, q.deadline())
	defer cancel()
	state := request.Request{W: q.state.W, Req: q.state.Req}
	inner := state.NewWithQuestion(name, qtype)
	done := make(chan *dns.Msg, 1)
	go func() { // a plugin that doesn't look at its context ends by itself
		defer over()
		done <- serve(ctx, server, q.state.W, inner.Req)
	}()
	select {
	case reply := <-done:
		switch {
		case q.lookups().spent():
			return nil, errLookups
		case !time.Now().Before(q.deadline()):
			return nil, errLate
		case reply == nil: // dropped, as acl does: it isn't for this client
			return new(dns.Msg).SetRcode(q.state.Req, dns.RcodeRefused), nil
		}
		return reply, nil
	case <-ctx.Done():
		return nil, errLate
	}
}

// serve has the server answer r, and gives its reply, nil when there is none.
func serve(ctx context.Context, server *dnsserver.Server, w dns.ResponseWriter, r *dns.Msg) *dns.Msg {
	inner := nonwriter.New(w)
	server.ServeDNS(ctx, inner, r)
	if inner.Msg == nil {
		return nil
	}
	return inner.Msg.Copy()
}

// within is the look-up that this query is part of, nil without one.
func (q *ask) within() *within {
	w, _ := q.ctx.Value(withinKey{}).(*within)
	return w
}

// local answers a name of the local cluster, where this server serves it.
func (q *ask) local() (done bool, status int, err error) {
	asked := q.asked()
	switch {
	case q.isNexts(asked):
		status, err = q.next()
	case strings.EqualFold(asked, q.qname): // to look it up leads back here
		return false, 0, nil
	case q.isHere():
		status, err = q.here(asked)
	default:
		return false, 0, nil
	}
	return true, status, err
}

// isNexts reports whether the name, which the member calls asked, is served as it is
// asked here by a plugin behind this one.
func (q *ask) isNexts(asked string) bool {
	return q.member == q.snap.local && q.p.Next != nil && !q.addr.IsValid() && strings.EqualFold(asked, q.qname)
}

// sendable tells whether a name, longer in the member's domain than here, still
// fits a message: RFC 1035, section 2.3.4. A name that doesn't can't exist.
func sendable(name string) bool {
	_, ok := dns.IsDomainName(name)
	return ok
}

// here answers a name of the local cluster from this server's own plugins.
func (q *ask) here(asked string) (int, error) {
	if !sendable(asked) {
		return q.nameError()
	}
	reply, err := q.lookup(asked, q.askedType(), func() {})
	switch {
	case errors.Is(err, errLookups):
		return q.exhausted(fromLocal)
	case err != nil:
		return q.failFrom(fromLocal, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(err))
	case isFiltered(reply):
		return q.refuse(nil)
	}
	return q.answer(reply, asked, fromLocal)
}

// isFiltered reports whether a reply has no records because this client isn't to have
// them, as acl's filter says (RFC 8914, section 4.18): another client may.
func isFiltered(m *dns.Msg) bool {
	o := m.IsEdns0()
	return o != nil && m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && slices.ContainsFunc(o.Option, func(option dns.EDNS0) bool {
		e, ok := option.(*dns.EDNS0_EDE)
		return ok && e.InfoCode == dns.ExtendedErrorCodeFiltered
	})
}
