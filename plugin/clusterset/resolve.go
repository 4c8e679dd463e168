package clusterset

import (
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// mode is where answers about members come from.
type mode uint8

const (
	// modeAuto: data while they are fresh, else the member's DNS, else what is stale.
	modeAuto mode = iota
	// modeForward: the member's DNS.
	modeForward
	// modeResolve: data, fresh or stale.
	modeResolve
)

var modes = map[string]mode{"auto": modeAuto, "forward": modeForward, "resolve": modeResolve}

// maxStaleTTL is the TTL of a stale answer, in seconds, at the most: RFC 8767,
// section 4.
const maxStaleTTL = 30

var (
	errNoKubeconfig = errors.New("no kubeconfig to get its data with, and its DNS isn't asked in this mode")
	errNoName       = errors.New("the name isn't in its stale data")
)

// resolve answers a member's name from the best source there is.
func (q *ask) resolve() (int, error) {
	if q.member == q.snap.local {
		if done, status, err := q.local(); done {
			return status, err
		}
	}
	var view *member.View // loaded once, as the snapshot
	if q.member.api != nil {
		view = q.member.api.View()
	}
	if done, status, err := q.hidden(view); done {
		return status, err
	}
	mode := q.p.options.mode
	switch {
	case mode == modeResolve && view == nil:
		return q.failFrom(fromData, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(errNoKubeconfig))
	case mode == modeForward, view == nil, mode == modeAuto && q.n.IsPod():
		return q.cached()
	}
	switch {
	case view.State == member.Fresh:
		return q.fresh(view)
	case mode == modeAuto:
		q.fallback = view
		return q.cached()
	case view.State == member.Unsynced:
		return q.failFrom(fromData, dns.ExtendedErrorCodeNotReady, q.memberError(view.Err))
	}
	return q.stale(view, fromData, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(view.Err))
}

// memberError is err, of the member; what a client is told of it stays apart.
func (q *ask) memberError(err error) error {
	of := "member " + q.member.Name + ": "
	if b, ok := errors.AsType[briefer](err); ok {
		return briefly{errors.New(of + err.Error()), of + b.Brief()}
	}
	return errors.New(of + err.Error())
}

// fresh answers from the member's data.
func (q *ask) fresh(v *member.View) (int, error) {
	r := q.look(v, q.p.options.ttl)
	if !r.Exists {
		return q.notFound(nil, "", fromData)
	}
	return q.fromData(q.holding(&r), nil)
}

// stale answers from data that nothing proves true any more, where serve_stale
// still allows it: RFC 8767. That something doesn't exist is never said so. Else
// the reply is SERVFAIL, for what went wrong.
func (q *ask) stale(v *member.View, from sourceName, code uint16, wrong error) (int, error) {
	if !q.servable(v) {
		return q.failFrom(from, code, wrong)
	}
	r := q.look(v, min(q.p.options.ttl, maxStaleTTL))
	if !r.Exists {
		return q.failFrom(from, code, errors.Join(wrong, q.memberError(errNoName)))
	}
	return q.fromData(q.holding(&r), wrong)
}

// servable tells whether serve_stale allows answers from those data.
func (q *ask) servable(v *member.View) bool {
	return v.State != member.Unsynced && time.Since(v.Since) < q.p.options.serveStale
}

// look finds the name, or the address, in the member's data.
func (q *ask) look(v *member.View, ttl uint32) query.Records {
	q.serial = uint32(v.Data.Changed.Unix())
	f := query.Form{Owner: q.qname, Type: q.state.QType(), Domain: q.member.ClusterDomain, TTL: ttl}
	if q.addr.IsValid() {
		f.Domain = q.member.Name + "." + q.p.primaryZone()
		return query.Pointers(v.Data, q.addr, &f)
	}
	return q.n.Records(v.Data, &f)
}

// holding is a reply with those records.
func (q *ask) holding(r *query.Records) *dns.Msg {
	m := q.ours()
	m.Answer, m.Extra = r.Answer, r.Extra
	return m
}

// fromData writes a reply made from data: addresses checked and exchanged for
// gateways, a CNAME followed. wrong is why they aren't fresh, nil where they are.
func (q *ask) fromData(m *dns.Msg, wrong error) (int, error) {
	from := fromData
	if wrong != nil {
		from, q.wrong = fromStale, wrong
	}
	t := translation{ask: q, ours: true, guard: q.p.options.addressGuard}
	m.Answer = t.records(m.Answer, inAnswer)
	m.Extra = t.records(m.Extra, inAdditional)
	if done, status, err := q.refused(&t, m, from); done {
		return status, err
	}
	if target := q.open(m); target != "" {
		return q.follow(m, target, &t, from)
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{q.soa()}
	}
	return q.write(m, from)
}
