package resolver

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
)

// answer is a source's answer to a question, before its records are filtered.
type answer struct {
	source Source
	// renaming is how the member's names become ours; the zero value for records made from
	// data, which have our names already.
	renaming                                     query.Renaming
	rcode                                        int
	authoritative, recursionAvailable, truncated bool
	answer, authority, additional                []dns.RR
	// reach is by what kinds addresses are chosen, nil for all of them.
	reach []model.Reach
	// serial is that of the member's data, 0 where they weren't asked.
	serial uint32
	// age is how long a negative answer was kept, in seconds.
	age uint32
	// stale is why a stale answer is given.
	stale error
}

// finisher makes what a source said the Resolution of a question.
type finisher struct{ *Resolver }

// answerOf returns the answer in a reply of the member's to what it was asked.
func (r finisher) answerOf(q *Question, reply *dns.Msg, asked string, source Source) answer {
	renaming := query.Renaming{Asked: q.Name, AskedOf: asked, Domain: q.Member.ClusterDomain, Suffix: q.suffix()}
	if q.Addr.IsValid() {
		renaming.Suffix = r.Zones.pointersInto(q.Member)
	}
	renaming.Select(reply, q.memberType())
	return answer{
		source: source, renaming: renaming, rcode: reply.Rcode, reach: q.Members.Reach[q.Member],
		authoritative: reply.Authoritative, recursionAvailable: reply.RecursionAvailable, truncated: reply.Truncated,
		answer: reply.Answer, authority: reply.Ns, additional: reply.Extra,
	}
}

var (
	errAddresses = errors.New("every address it gave is outside its CIDRs or another's")
	errNames     = errors.New("every name it gave is outside its domain")
)

// finish makes an answer the Resolution of its question (step 5): what doesn't answer it is
// left out, names are renamed, addresses checked and chosen as clients here can reach them.
func (r finisher) finish(ctx context.Context, q *Question, a *answer) *Resolution {
	f := filter{nameGuard: nameGuard{q, &r.Zones}, renaming: a.renaming, ours: a.renaming.AskedOf == "", checks: r.AddressGuard && a.source != Local}
	f.reach = a.reach
	if r.ExportsMarked && a.source != Local {
		f.exports = q.view
	}
	if q.Member.Namespaces != nil && f.limit(a.answer) {
		return r.unoffered(ctx, &f, a)
	}
	if !f.ours && q.asksExistence() || a.rcode == dns.RcodeNameError && len(a.answer) == 0 {
		return r.existence(&f, a)
	}
	a.answer = f.records(a.answer, inAnswer)
	if len(a.additional) > 0 {
		a.additional = f.records(a.additional, inAdditional)
	}
	return r.complete(ctx, &f, a)
}

// complete gives an answer, whose records are filtered, what it lacks: where a CNAME leads
// that leads out of the member's domain, and the authority section.
func (r finisher) complete(ctx context.Context, f *filter, a *answer) *Resolution {
	q, res := f.q, &f.q.room
	*res = Resolution{
		Question: q, Member: q.Member, Source: a.source, Rcode: a.rcode, Authoritative: a.authoritative,
		RecursionAvailable: a.recursionAvailable, Truncated: a.truncated, Answer: a.answer, Additional: a.additional,
		Code: NoExtendedError, StaleReason: a.stale, Rare: Rare{Excluded: f.excluded},
	}
	if a.rcode == dns.RcodeNameError { // of a CNAME's target, which is looked up here
		res.Rcode = dns.RcodeSuccess
	}
	switch {
	case f.excluded != [Exclusions]uint16{} && f.leavesNothing(a):
		return r.withheld(ctx, f, res, a.serial)
	case len(a.answer) > 0 && (a.answer[0].Header().Rrtype != q.Type || q.Type == dns.TypeCNAME):
		return r.chase(ctx, f, a, res)
	case len(a.answer) > 0 || a.truncated:
		if len(a.authority) > 0 {
			res.Authority = f.records(a.authority, inAuthority)
		}
	case res.Rcode == dns.RcodeSuccess:
		res.Authority, res.Additional = r.proof(f, a), nil
	}
	if res.Source == Stale {
		return stale(res)
	}
	return res
}

// chase follows the CNAME at an answer's end, if there is one that leads out of the member's
// domain.
func (r finisher) chase(ctx context.Context, f *filter, a *answer, res *Resolution) *Resolution {
	target := openTarget(f.q, a.answer)
	if a.source == Forward && !followedThere(ctx, f.q, a.answer, target != "") {
		return r.exhausted(ctx, f.q, a.source)
	}
	if target != "" {
		return r.follow(ctx, f, res, target)
	}
	res.Authority = f.records(a.authority, inAuthority)
	return stale(res)
}

// leavesNothing reports whether the records that were left out are all that answered the question.
func (f *filter) leavesNothing(a *answer) bool {
	return f.excluded[OutOfReach] > 0 || f.excluded[Guarded] > 0 && len(a.answer) == 0
}

// existence is the answer where there is no such name, or where whether there is one is all
// that was asked: its records are left out.
func (r finisher) existence(f *filter, a *answer) *Resolution {
	res := f.q.resolution(a.source)
	res.Rcode, res.Authoritative, res.RecursionAvailable, res.StaleReason = a.rcode, a.authoritative, a.recursionAvailable, a.stale
	zone := zoneAuthority(r).authority(f.q, a.serial, a.age)
	switch {
	case a.rcode == dns.RcodeNameError && len(a.answer) == 0:
		res.NotFound, res.Authority = true, r.proof(f, a)
	case isAnswer(a.rcode): // else a plugin's of this server
		res.Rcode, res.Authority = dns.RcodeSuccess, []dns.RR{zone.soaOf(a.authority, &f.renaming)}
	}
	return stale(res)
}

// stale adds the extended error of a stale answer: RFC 8767, section 4; RFC 8914, section 4.4.
func stale(res *Resolution) *Resolution {
	if res.Source == Stale && res.Rcode == dns.RcodeSuccess && res.Code == NoExtendedError {
		res.Code, res.Text = dns.ExtendedErrorCodeStaleAnswer, members.Brief(res.StaleReason)
	}
	return res
}

// proof returns the authority section of a negative answer.
func (r finisher) proof(f *filter, a *answer) []dns.RR {
	zone := zoneAuthority(r).authority(f.q, a.serial, a.age)
	if f.ours {
		return []dns.RR{zone.soa()}
	}
	return zone.proof(a.authority, &f.renaming)
}

// withheld is the answer where no address can be reached from here, or the guard left nothing. Of
// gateways of the other family alone it isn't a failure: clients ask for both.
func (r finisher) withheld(ctx context.Context, f *filter, res *Resolution, serial uint32) *Resolution {
	q, why := f.q, errAddresses
	switch {
	case f.excluded[OutOfReach] > 0 && f.hasOtherGateways():
		zone := zoneAuthority(r).authority(q, serial, 0)
		res.Answer, res.Authority, res.Additional = nil, []dns.RR{zone.soa()}, nil
		res.Code, res.Text = dns.ExtendedErrorCodeFiltered, "member "+q.Member.Name+" has no gateway of this family"
		return res
	case f.excluded[OutOfReach] > 0:
		why = errOutOfReach
	case q.Addr.IsValid():
		why = errNames
	}
	failed := r.fail(ctx, q, res.Source, dns.ExtendedErrorCodeFiltered, q.memberError(why))
	failed.Rare.Excluded = f.excluded
	return failed
}

// nameError is NXDOMAIN for a name that can't exist.
func (r zoneAuthority) nameError(q *Question) *Resolution {
	zone := r.authority(q, r.serial(q), 0)
	res := q.resolution(OfZone)
	res.Authoritative = true
	res.Rcode, res.NotFound, res.Authority = dns.RcodeNameError, true, []dns.RR{zone.soa()}
	return res
}

// filter makes a member's records ours, one after the other: what isn't part of an answer, or
// the member isn't authoritative for, is left out; the rest is renamed, its addresses checked
// (guard.go) and chosen by their reach (reach.go).
type filter struct {
	nameGuard
	// renaming is how the member's names become ours; ours is set for records made from
	// data, which have our names already.
	renaming query.Renaming
	ours     bool
	// checks is whether addresses are checked, and reach by what kinds they are chosen, nil for
	// all of them.
	checks bool
	reach  []model.Reach
	// limited is whether the member offers only some namespaces.
	limited bool
	// exports are the data that say which services are exported, nil where all are.
	exports  *member.View
	excluded [Exclusions]uint16
}

// section of a message: the owner that was asked is renamed in its answer.
type section uint8

const (
	inAnswer section = iota
	inAuthority
	inAdditional
)

// records returns those of rrs that the member may answer with, renamed. They are
// changed in place: nobody else has them.
func (f *filter) records(rrs []dns.RR, in section) []dns.RR {
	if f.ours {
		rrs = f.allowed(rrs)
	} else {
		rrs = f.renamed(rrs, in)
	}
	if f.exports != nil || f.limited {
		rrs = f.shown(rrs)
	}
	if f.reach != nil {
		rrs = f.reachable(rrs)
	}
	return rrs
}

// allowed returns those that pass the guard, and counts the others.
func (f *filter) allowed(rrs []dns.RR) []dns.RR {
	kept := rrs[:0]
	for _, rr := range rrs {
		if f.allows(rr) {
			kept = append(kept, rr)
		} else {
			f.excluded[Guarded]++
		}
	}
	return kept
}

// renamed returns those that are part of the member's answer and pass the guard, in our
// names.
func (f *filter) renamed(rrs []dns.RR, in section) []dns.RR {
	kept := rrs[:0]
	for _, rr := range rrs {
		switch {
		case f.leavesOut(rr):
		case !f.allows(rr):
			f.excluded[Guarded]++
		case !f.rename(rr, in):
		case in != inAuthority && (!f.isMembers(rr.Header().Name) || f.limited && f.isWithheld(rr.Header().Name)): // the owners of a denial's records may be the zone's own
			if in == inAnswer && rr.Header().Rrtype != dns.TypeDNAME {
				return kept // what follows is where that name leads, but for a DNAME above it
			}
		default:
			query.WithoutHints(rr)
			kept = append(kept, rr)
		}
	}
	return kept
}

// shown returns those that others may see: without services that aren't exported, or whose
// namespace isn't offered.
func (f *filter) shown(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		hidden := f.hides(rr)
		if hidden {
			f.excluded[NotExported]++
		}
		return hidden
	})
}

// leavesOut reports whether a record isn't part of an answer: EDNS is each hop's own, and
// signatures don't survive renaming.
func (f *filter) leavesOut(rr dns.RR) bool {
	switch rr.Header().Rrtype {
	case dns.TypeOPT, dns.TypeTSIG:
		return true
	case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		return !f.renaming.Identity()
	}
	return false
}

// allows reports whether the record passes the guard: it has an address of the member's own, or
// the name of one in its own domain.
func (f *filter) allows(rr dns.RR) bool {
	var addr netip.Addr
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(rr.AAAA)
	case *dns.PTR:
		name := rr.Ptr
		return f.ours || f.renaming.Name(&name) && f.isMembers(name)
	default:
		return !f.checks || !query.HidesAddress(rr)
	}
	addr = addr.Unmap() // ::ffff:10.0.0.1 is no way around the guard
	switch {
	case !addr.IsValid():
		return false
	case !f.checks:
		return true
	case addr.Is4() && f.q.Member.Declares(addr):
		return !model.IsHosts(addr)
	}
	return guard.Trusts(f.q.Members, f.q.Member, addr)
}

func (f *filter) rename(rr dns.RR, in section) bool {
	if in == inAnswer {
		return f.renaming.Answer(rr)
	}
	return f.renaming.Other(rr)
}

func address(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		addr, ok := netip.AddrFromSlice(rr.A)
		return addr.Unmap(), ok
	case *dns.AAAA:
		addr, ok := netip.AddrFromSlice(rr.AAAA)
		return addr.Unmap(), ok // ::ffff:10.0.0.1 is no way around the guard
	}
	return netip.Addr{}, false
}
