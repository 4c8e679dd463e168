package resolver

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
)

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
