package query

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxChain bounds the CNAMEs of one reply that are followed: more than any question's
// budget of look-ups.
const maxChain = 32

// Select keeps of a member's reply, in place, the records that answer a question of that
// type: those along the chain of CNAMEs from the name that was asked, in that order, as far
// as it stays in the member's domain (RFC 2181, section 5.4.1); the addresses that these
// point to; and those that prove a denial. Names are still the member's.
func (r *Renaming) Select(m *dns.Msg, qtype uint16) {
	var end string
	m.Answer, end = r.chain(m.Answer, qtype)
	if len(m.Ns) > 0 {
		m.Ns = r.authority(m.Ns, end)
	}
	if len(m.Extra) > 0 {
		m.Extra = r.additional(m.Extra, m.Answer)
	}
}

// Chain keeps the records that answer a question of that type, as Select does, in whatever
// domain. end is the name at the end of the chain.
func Chain(rrs []dns.RR, name string, qtype uint16) (kept []dns.RR, end string) {
	r := Renaming{Asked: name, AskedOf: name, Domain: ".", Suffix: "."}
	return r.chain(rrs, qtype)
}

// chain returns the records of the chain from the name asked, and the name at its end. A
// reply nearly always has them in order, and nothing else.
func (r *Renaming) chain(rrs []dns.RR, qtype uint16) (kept []dns.RR, end string) {
	name, found := r.AskedOf, false
	for i, rr := range rrs {
		h := rr.Header()
		if !equalFold(h.Name, name) {
			return r.ordered(rrs, qtype)
		}
		cname, leads := rr.(*dns.CNAME)
		switch {
		case h.Rrtype == qtype:
			found = true
		case leads && !found && i < maxChain && qtype != dns.TypeANY && (i == len(rrs)-1 || InZone(cname.Target, r.Domain)):
			name = cname.Target
		default:
			return r.ordered(rrs, qtype)
		}
	}
	return rrs, name
}

// ordered is chain for records in any order, mixed with others.
func (r *Renaming) ordered(rrs []dns.RR, qtype uint16) (kept []dns.RR, end string) {
	kept = make([]dns.RR, 0, len(rrs))
	names, all := []string{r.AskedOf}, byOwner(rrs)
	for {
		end = names[len(names)-1]
		of := r.of(all, end, qtype)
		kept = append(kept, of...)
		next := leadsTo(of, qtype)
		again := slices.ContainsFunc(names, func(name string) bool { return equalFold(name, next) })
		if next == "" || again || len(names) == maxChain || !InZone(next, r.Domain) {
			return kept, end
		}
		names = append(names, next)
	}
}

// owned are records by their owners in lower case: there may be thousands, of many names.
type owned map[string][]dns.RR

func byOwner(rrs []dns.RR) owned {
	all := make(owned)
	for _, rr := range rrs {
		owner := strings.ToLower(rr.Header().Name)
		all[owner] = append(all[owner], rr)
	}
	return all
}

// of returns a name's records of that type, or else its CNAME, of which there is one (RFC
// 1034, section 3.6.2); where the member signs the names as they are asked here also the
// signatures, and the DNAMEs that its CNAMEs come from.
func (r *Renaming) of(all owned, name string, qtype uint16) []dns.RR {
	var found []dns.RR
	var cname *dns.CNAME
	for _, rr := range all[strings.ToLower(name)] {
		h := rr.Header()
		switch {
		case h.Rrtype == qtype, qtype == dns.TypeANY, h.Rrtype == dns.TypeRRSIG && r.Identity():
			found = append(found, rr)
		case h.Rrtype == dns.TypeCNAME && cname == nil:
			cname = rr.(*dns.CNAME)
		}
	}
	if cname == nil || slices.ContainsFunc(found, func(rr dns.RR) bool { return rr.Header().Rrtype == qtype }) {
		return found
	}
	return append(r.withOrigins(found, all, cname), cname)
}

// withOrigins appends the DNAMEs that a CNAME comes from, where the member signs the names
// as they are asked here.
func (r *Renaming) withOrigins(found []dns.RR, all owned, cname *dns.CNAME) []dns.RR {
	if !r.Identity() {
		return found
	}
	name := cname.Hdr.Name
	for off, end := dns.NextLabel(name, 0); !end && InZone(name[off:], r.Domain); off, end = dns.NextLabel(name, off) {
		above := all[strings.ToLower(name[off:])]
		i := slices.IndexFunc(above, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeDNAME })
		if i >= 0 && comesFrom(cname, above[i].(*dns.DNAME)) { // there is one: RFC 6672, section 2.4
			found = append(found, above[i])
		}
	}
	return found
}

// comesFrom reports whether a CNAME is synthesized from a DNAME above it: RFC 6672, section
// 2.2.
func comesFrom(cname *dns.CNAME, dname *dns.DNAME) bool {
	name, above := cname.Hdr.Name, dname.Hdr.Name
	return equalFold(name[:len(name)-len(above)]+dname.Target, cname.Target)
}

// leadsTo returns the target of the CNAME among a name's records, or "".
func leadsTo(rrs []dns.RR, qtype uint16) string {
	if qtype == dns.TypeCNAME || qtype == dns.TypeANY {
		return ""
	}
	for _, rr := range rrs {
		if cname, ok := rr.(*dns.CNAME); ok {
			return cname.Target
		}
	}
	return ""
}

// additional keeps the addresses of names that the answer points to.
func (r *Renaming) additional(rrs, answer []dns.RR) []dns.RR {
	var targets map[string]bool
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		h := rr.Header()
		if h.Rrtype != dns.TypeA && h.Rrtype != dns.TypeAAAA && (h.Rrtype != dns.TypeRRSIG || !r.Identity()) {
			return true
		}
		if targets == nil {
			targets = make(map[string]bool, len(answer))
			for _, rr := range answer {
				targets[strings.ToLower(pointsTo(rr))] = true
			}
		}
		return !targets[strings.ToLower(h.Name)]
	})
}

// pointsTo returns the name whose addresses a client needs next, or "".
func pointsTo(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.SRV:
		return rr.Target
	case *dns.MX:
		return rr.Mx
	case *dns.SVCB:
		return servedAt(rr)
	case *dns.HTTPS:
		return servedAt(&rr.SVCB)
	case *dns.NAPTR:
		return rr.Replacement
	case *dns.KX:
		return rr.Exchanger
	case *dns.AFSDB:
		return rr.Hostname
	case *dns.RT:
		return rr.Host
	}
	return ""
}

// servedAt returns a record's target, "." being its owner: RFC 9460, section 2.5.2.
func servedAt(rr *dns.SVCB) string {
	if rr.Target == "." && rr.Priority > 0 {
		return rr.Hdr.Name
	}
	return rr.Target
}

// authority keeps the SOA of the member's zone that holds a name, with the proofs (RFC 4035,
// section 3.1.3) where the member signs the names as they are asked here.
func (r *Renaming) authority(rrs []dns.RR, name string) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		h := rr.Header()
		switch h.Rrtype {
		case dns.TypeSOA:
			return !InZone(name, h.Name) || !InZone(h.Name, r.Domain)
		case dns.TypeNSEC, dns.TypeNSEC3, dns.TypeRRSIG:
			return !r.Identity() || !InZone(h.Name, r.Domain)
		}
		return true
	})
}
