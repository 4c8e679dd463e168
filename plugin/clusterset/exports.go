package clusterset

import (
	"errors"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

var errExportsUnknown = errors.New("which of its services are exported isn't known")

// hidden replies to the names of services that `exports marked` keeps from
// others: they don't exist. Only a member's data tell which; where there are none,
// nothing is let through. The local cluster's names are its own business.
func (q *ask) hidden(v *member.View) (done bool, status int, err error) {
	if !q.p.options.exportsMarked {
		return false, 0, nil
	}
	q.exports = v
	if v == nil {
		status, err = q.failFrom(fromData, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(errExportsUnknown))
		return true, status, err
	}
	switch {
	case v.State == member.Unsynced:
		status, err = q.failFrom(fromData, dns.ExtendedErrorCodeNotReady, q.memberError(v.Err))
	case q.exported(v):
		return false, 0, nil
	case v.State == member.Fresh:
		status, err = q.notFound(nil, "", fromData)
	default:
		status, err = q.failFrom(fromData, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(v.Err))
	}
	return true, status, err
}

// hides reports whether a record of an address, which may be several services', names
// one that isn't exported.
func (q *ask) hides(rr dns.RR) bool {
	if q.exports == nil {
		return false
	}
	ptr, ok := rr.(*dns.PTR)
	if !ok {
		return false
	}
	n := query.Parse(ptr.Ptr, len(q.p.primaryZone()), q.snap)
	_, exported := q.exports.Data.Exported(n.Key())
	return !exported
}

// exported tells whether the question is about a service that is exported, or
// about none. Pods are never.
func (q *ask) exported(v *member.View) bool {
	if !q.addr.IsValid() {
		key := q.n.Key()
		if key == "" {
			return !q.n.IsPod()
		}
		_, ok := v.Data.Exported(key)
		return ok
	}
	for _, owner := range v.Data.Owners(q.addr) {
		if _, ok := v.Data.Exported(owner.Service); ok {
			return true
		}
	}
	return false
}
