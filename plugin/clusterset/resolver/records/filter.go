package records

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Filter makes a member's records ours, one after the other: what isn't part of an answer, or
// the member isn't authoritative for, is left out; the rest is renamed, its addresses checked
// (guard.go) and chosen by their reach (reach.go). It is for one answer, and one goroutine.
type Filter struct {
	Guard
	// Renaming is how the member's names become ours; Ours is set for records made from
	// data, which have our names already.
	Renaming query.Renaming
	Ours     bool
	// Checks is whether addresses are checked, and Reach by what kinds they are chosen, nil for
	// all of them.
	Checks bool
	Reach  []model.Reach
	// limited is whether the member offers only some namespaces.
	limited bool
	// Exports are the data that say which services are exported, nil where all are.
	Exports *member.View
	// Excluded counts the records that were left out, by why.
	Excluded [question.Exclusions]uint16
}

// Section of a message: the owner that was asked is renamed in its answer.
type Section uint8

// The sections (RFC 1035, section 4.1).
const (
	InAnswer Section = iota
	InAuthority
	InAdditional
)

// Records returns those of rrs that the member may answer with, renamed. They are
// changed in place: nobody else has them.
func (f *Filter) Records(rrs []dns.RR, in Section) []dns.RR {
	if f.Ours {
		rrs = f.allowed(rrs)
	} else {
		rrs = f.renamed(rrs, in)
	}
	if f.Exports != nil || f.limited {
		rrs = f.shown(rrs)
	}
	if f.Reach != nil {
		rrs = f.reachable(rrs)
	}
	return rrs
}

// allowed returns those that pass the guard, and counts the others.
func (f *Filter) allowed(rrs []dns.RR) []dns.RR {
	kept := rrs[:0]
	for _, rr := range rrs {
		if f.allows(rr) {
			kept = append(kept, rr)
		} else {
			f.Excluded[question.Guarded]++
		}
	}
	return kept
}

// renamed returns those that are part of the member's answer and pass the guard, in our
// names.
func (f *Filter) renamed(rrs []dns.RR, in Section) []dns.RR {
	kept := rrs[:0]
	for _, rr := range rrs {
		switch {
		case f.leavesOut(rr):
		case !f.allows(rr):
			f.Excluded[question.Guarded]++
		case !f.rename(rr, in):
		case in != InAuthority && (!f.isMembers(rr.Header().Name) || f.limited && f.isWithheld(rr.Header().Name)): // the owners of a denial's records may be the zone's own
			if in == InAnswer && rr.Header().Rrtype != dns.TypeDNAME {
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
func (f *Filter) shown(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		hidden := f.hides(rr)
		if hidden {
			f.Excluded[question.NotExported]++
		}
		return hidden
	})
}

// leavesOut reports whether a record isn't part of an answer: EDNS is each hop's own, and
// signatures don't survive renaming.
func (f *Filter) leavesOut(rr dns.RR) bool {
	switch rr.Header().Rrtype {
	case dns.TypeOPT, dns.TypeTSIG:
		return true
	case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3:
		return !f.Renaming.Identity()
	}
	return false
}

// allows reports whether the record passes the guard: it has an address of the member's own, or
// the name of one in its own domain.
func (f *Filter) allows(rr dns.RR) bool {
	var addr netip.Addr
	switch rr := rr.(type) {
	case *dns.A:
		addr, _ = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		addr, _ = netip.AddrFromSlice(rr.AAAA)
	case *dns.PTR:
		name := rr.Ptr
		return f.Ours || f.Renaming.Name(&name) && f.isMembers(name)
	default:
		return !f.Checks || !query.HidesAddress(rr)
	}
	addr = addr.Unmap() // ::ffff:10.0.0.1 is no way around the guard
	switch {
	case !addr.IsValid():
		return false
	case !f.Checks:
		return true
	case addr.Is4() && f.Question.Member.Declares(addr):
		return !model.IsHosts(addr)
	}
	return guard.Trusts(f.Question.Members, f.Question.Member, addr)
}

func (f *Filter) rename(rr dns.RR, in Section) bool {
	if in == InAnswer {
		return f.Renaming.Answer(rr)
	}
	return f.Renaming.Other(rr)
}
