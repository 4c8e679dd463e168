package resolver

import (
	"context"
	"errors"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
)

// answer is a source's answer to a question, before its records are filtered.
type answer struct {
	source question.Source
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
func (r finisher) answerOf(q *question.Question, reply *dns.Msg, asked string, source question.Source) answer {
	renaming := query.Renaming{Asked: q.Name, AskedOf: asked, Domain: q.Member.ClusterDomain, Suffix: q.Suffix()}
	if q.Addr.IsValid() {
		renaming.Suffix = r.Zones.PointersInto(q.Member)
	}
	renaming.Select(reply, q.MemberType())
	return answer{
		source: source, renaming: renaming, rcode: reply.Rcode, reach: q.Members.Reach[q.Member],
		authoritative: reply.Authoritative, recursionAvailable: reply.RecursionAvailable, truncated: reply.Truncated,
		answer: reply.Answer, authority: reply.Ns, additional: reply.Extra,
	}
}

var (
	errAddresses  = errors.New("every address it gave is outside its CIDRs or another's")
	errOutOfReach = errors.New("it has no address of the name that clients here can reach")
	errNames      = errors.New("every name it gave is outside its domain")
)

// chase follows the CNAME at an answer's end, if there is one that leads out of the member's
// domain.
func (r finisher) chase(ctx context.Context, f *records.Filter, a *answer, res *question.Resolution) *question.Resolution {
	target := openTarget(f.Question, a.answer)
	if a.source == question.Forward && !followedThere(ctx, f.Question, a.answer, target != "") {
		return r.exhausted(ctx, f.Question, a.source)
	}
	if target != "" {
		return r.follow(ctx, f, res, target)
	}
	res.Authority = f.Records(a.authority, records.InAuthority)
	return stale(res)
}

// leavesNothing reports whether the records that were left out are all that answered the question.
func leavesNothing(f *records.Filter, a *answer) bool {
	return f.Excluded[question.OutOfReach] > 0 || f.Excluded[question.Guarded] > 0 && len(a.answer) == 0
}

// existence is the answer where there is no such name, or where whether there is one is all
// that was asked: its records are left out.
func (r finisher) existence(f *records.Filter, a *answer) *question.Resolution {
	res := f.Question.Begin(a.source)
	res.Rcode, res.Authoritative, res.RecursionAvailable, res.StaleReason = a.rcode, a.authoritative, a.recursionAvailable, a.stale
	zone := zoneAuthority(r).authority(f.Question, a.serial, a.age)
	switch {
	case a.rcode == dns.RcodeNameError && len(a.answer) == 0:
		res.NotFound, res.Authority = true, r.proof(f, a)
	case isAnswer(a.rcode): // else a plugin's of this server
		res.Rcode, res.Authority = dns.RcodeSuccess, []dns.RR{zone.soaOf(a.authority, &f.Renaming)}
	}
	return stale(res)
}

// stale adds the extended error of a stale answer: RFC 8767, section 4; RFC 8914, section 4.4.
func stale(res *question.Resolution) *question.Resolution {
	if res.Source == question.Stale && res.Rcode == dns.RcodeSuccess && res.Code == question.NoExtendedError {
		res.Code, res.Text = dns.ExtendedErrorCodeStaleAnswer, members.Brief(res.StaleReason)
	}
	return res
}

// proof returns the authority section of a negative answer.
func (r finisher) proof(f *records.Filter, a *answer) []dns.RR {
	zone := zoneAuthority(r).authority(f.Question, a.serial, a.age)
	if f.Ours {
		return []dns.RR{zone.soa()}
	}
	return zone.proof(a.authority, &f.Renaming)
}

// withheld is the answer where no address can be reached from here, or the guard left nothing. Of
// gateways of the other family alone it isn't a failure: clients ask for both.
func (r finisher) withheld(ctx context.Context, f *records.Filter, res *question.Resolution, serial uint32) *question.Resolution {
	q, why := f.Question, errAddresses
	switch {
	case f.Excluded[question.OutOfReach] > 0 && f.HasOtherGateways():
		zone := zoneAuthority(r).authority(q, serial, 0)
		res.Answer, res.Authority, res.Additional = nil, []dns.RR{zone.soa()}, nil
		res.Code, res.Text = dns.ExtendedErrorCodeFiltered, "member "+q.Member.Name+" has no gateway of this family"
		return res
	case f.Excluded[question.OutOfReach] > 0:
		why = errOutOfReach
	case q.Addr.IsValid():
		why = errNames
	}
	failed := r.fail(ctx, q, res.Source, dns.ExtendedErrorCodeFiltered, q.MemberError(why))
	failed.Rare.Excluded = f.Excluded
	return failed
}
