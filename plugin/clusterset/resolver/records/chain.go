package records

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Chain returns what a look-up's answer says about the target, the name that it ends at, and
// where to go on: at a name of ours, for which no other server is authoritative.
func (f *Filter) Chain(rrs []dns.RR, target string) (kept []dns.RR, end, next string) {
	kept, end = query.Chain(rrs, target, f.Question.Type)
	if f.isOursName(target) {
		return kept, end, ""
	}
	kept = slices.DeleteFunc(kept, f.redirectsOurs)
	for i, rr := range kept {
		if cname, ok := rr.(*dns.CNAME); ok && f.Question.Type != dns.TypeCNAME && f.isOursName(cname.Target) {
			return kept[:i+1], cname.Target, cname.Target
		}
	}
	return kept, end, ""
}

// redirectsOurs reports whether a record is a DNAME above names of ours, and so would lead
// these elsewhere as well.
func (f *Filter) redirectsOurs(rr dns.RR) bool {
	dname, is := rr.(*dns.DNAME)
	return is && f.isAboveOurs(dname.Hdr.Name)
}

// Followed returns the records to give of those that were found for the target of a member's
// CNAME, outside its domain. Anybody may be authoritative there: an address of a member
// comes from a name of that member alone. (dnsmasq's stop-dns-rebind and Unbound's
// private-address look at replies after CNAMEs too.)
func (f *Filter) Followed(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		query.WithoutHints(rr)
		allowed := f.allowsFollowed(rr)
		if !allowed {
			f.Excluded[question.Guarded]++
		}
		return !allowed
	})
}

func (f *Filter) allowsFollowed(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA:
		addr, ok := Address(rr)
		return ok && (!f.Checks || f.trustsFollowed(rr.Header().Name, addr))
	case *dns.PTR:
		return query.InZone(rr.Ptr, f.Renaming.Suffix) && f.isMembers(rr.Ptr)
	}
	return !f.Checks || !query.HidesAddress(rr)
}

// ExtendedError returns the first extended error of a look-up's reply, and no words but ours:
// those of a name that isn't ours are somebody else's.
func (f *Filter) ExtendedError(reply *dns.Msg, name string) (code uint16, text string) {
	o := reply.IsEdns0()
	if o == nil {
		return question.NoExtendedError, ""
	}
	for _, option := range o.Option {
		if ede, ok := option.(*dns.EDNS0_EDE); ok {
			if f.memberOf(name) == nil {
				return ede.InfoCode, ""
			}
			return ede.InfoCode, ede.ExtraText
		}
	}
	return question.NoExtendedError, ""
}
