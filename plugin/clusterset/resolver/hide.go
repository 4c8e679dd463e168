package resolver

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// limit has the filter leave out what is in namespaces that the member doesn't offer, where the
// question is of another cluster. It reports whether the answer to an address has names, and all
// of them are.
func (f *filter) limit(answer []dns.RR) bool {
	f.limited = f.q.isLimited()
	return f.limited && f.q.Addr.IsValid() && len(answer) > 0 && !slices.ContainsFunc(answer, func(rr dns.RR) bool {
		ptr, is := rr.(*dns.PTR)
		if !is {
			return true
		}
		name := ptr.Ptr
		return !f.ours && !f.renaming.Name(&name) || !f.isWithheld(name)
	})
}

// isWithheld reports whether a name in the member's zone is in a namespace that it doesn't offer.
func (f *filter) isWithheld(name string) bool {
	if name == f.q.Name {
		return false
	}
	namespace := f.parse(name).Namespace()
	return namespace != "" && !f.q.Member.Offers(namespace)
}

// parse parses a name in the member's zone.
func (f *filter) parse(name string) *query.Name {
	zone := f.q.Zone.Name
	if f.q.Zone.Kind == ReverseZone {
		zone = f.zones.Primary()
	}
	n := query.Parse(name, len(zone), f.q.Members.Names)
	return &n
}

// hides reports whether a record of an address, which may be several services', names one
// that isn't exported, or whose namespace isn't offered.
func (f *filter) hides(rr dns.RR) bool {
	ptr, ok := rr.(*dns.PTR)
	switch {
	case !ok:
		return false
	case f.limited && f.isWithheld(ptr.Ptr):
		return true
	case f.exports == nil:
		return false
	}
	_, exported := f.exports.Data.Exported(f.parse(ptr.Ptr).Key())
	return !exported
}
