package records

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Limit has the filter leave out what is in namespaces that the member doesn't offer, where the
// question is of another cluster. It reports whether the answer to an address has names, and all
// of them are.
func (f *Filter) Limit(answer []dns.RR) bool {
	f.limited = f.Question.IsLimited()
	return f.limited && f.Question.Addr.IsValid() && len(answer) > 0 && !slices.ContainsFunc(answer, func(rr dns.RR) bool {
		ptr, is := rr.(*dns.PTR)
		if !is {
			return true
		}
		name := ptr.Ptr
		return !f.Ours && !f.Renaming.Name(&name) || !f.isWithheld(name)
	})
}

// isWithheld reports whether a name in the member's zone is in a namespace that it doesn't offer.
func (f *Filter) isWithheld(name string) bool {
	if name == f.Question.Name {
		return false
	}
	namespace := f.parse(name).Namespace()
	return namespace != "" && !f.Question.Member.Offers(namespace)
}

// parse parses a name in the member's zone.
func (f *Filter) parse(name string) *query.Name {
	zone := f.Question.Zone.Name
	if f.Question.Zone.Kind == question.ReverseZone {
		zone = f.Zones.Primary()
	}
	n := query.Parse(name, len(zone), f.Question.Members.Names)
	return &n
}

// hides reports whether a record of an address, which may be several services', names one
// that isn't exported, or whose namespace isn't offered.
func (f *Filter) hides(rr dns.RR) bool {
	ptr, ok := rr.(*dns.PTR)
	switch {
	case !ok:
		return false
	case f.limited && f.isWithheld(ptr.Ptr):
		return true
	case f.Exports == nil:
		return false
	}
	_, exported := f.Exports.Data.Exported(f.parse(ptr.Ptr).Key())
	return !exported
}
