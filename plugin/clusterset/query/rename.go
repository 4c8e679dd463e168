package query

import (
	"strings"

	"github.com/miekg/dns"
)

// Renaming renames from a member's domain to the zone asked under:
// "web.default.svc.cluster.local." becomes "web.default.svc.c1.lan.".
type Renaming struct {
	// Asked is the name in the client's question, AskedOf the one in the query to the
	// member.
	Asked, AskedOf string
	// Domain is the member's own domain, Suffix its zone here.
	Domain, Suffix string
}

// Identity reports whether the member serves the names as they are asked here, so that its
// signatures stay valid.
func (r *Renaming) Identity() bool {
	return equalFold(r.Asked, r.AskedOf) && equalFold(r.Domain, r.Suffix)
}

// Answer renames a record of the answer section, in place: the owner that was asked becomes
// the question's name, in its form and case. It returns false for a record whose owner is
// outside the member's domain, for which the member isn't an authority, and for one that
// can't be renamed. Names in its data that are outside stay (an ExternalName's).
func (r *Renaming) Answer(rr dns.RR) bool {
	h := rr.Header()
	if equalFold(h.Name, r.AskedOf) {
		h.Name = r.Asked
		return r.data(rr)
	}
	return r.fromData(&h.Name) && isName(h.Name) && r.data(rr) // a CNAME led to it
}

// Other renames a record of the other sections, as Answer does.
func (r *Renaming) Other(rr dns.RR) bool {
	h := rr.Header()
	return r.Name(&h.Name) && isName(h.Name) && r.data(rr)
}

// data renames the names in a record's data. It returns false for a record that holds the
// member's domain in another form, or a name that gets too long.
func (r *Renaming) data(rr dns.RR) bool {
	rename := r.Name
	switch rr.(type) {
	case *dns.CNAME, *dns.DNAME:
		rename = r.fromData
	}
	fits := true
	eachName(rr, func(name *string) {
		rename(name)
		fits = fits && isName(*name)
	})
	return fits && (!holdsUnseen(rr, r.Domain) || r.Identity())
}

// fromData renames a name that isn't the question's, and so doesn't have its case. It
// returns false for one outside the member's domain.
func (r *Renaming) fromData(name *string) bool {
	inside := InZone(*name, r.Domain)
	if inside {
		*name = (*name)[:len(*name)-len(r.Domain)] + strings.ToLower(r.Suffix)
	}
	return inside
}

// Name renames a name of the member's domain, and reports whether it is one.
func (r *Renaming) Name(name *string) bool {
	inside := InZone(*name, r.Domain)
	if inside {
		*name = (*name)[:len(*name)-len(r.Domain)] + r.Suffix
	}
	return inside
}

// isName reports whether a name has at most 255 bytes in a message, which are one less as
// text, or more where some are escaped (RFC 1035, sections 2.3.4 and 5.1).
func isName(name string) bool {
	const most = 255
	if len(name) < most {
		return true
	}
	_, err := dns.PackDomainName(name, make([]byte, most), 0, nil, false)
	return err == nil
}

// InZone reports whether name is zone or below it, without regard to case (RFC 4343).
func InZone(name, zone string) bool {
	cut := len(name) - len(zone)
	if cut < 0 || !equalFold(name[cut:], zone) {
		return false
	}
	return cut == 0 || zone == "." || (name[cut-1] == '.' && !escaped(name, cut-1))
}

// equalFold reports whether a and b are equal but for the case of ASCII letters (RFC
// 4343). strings.EqualFold folds Unicode as well. Most that differ do so in their length
// or first letter, which is found inline.
func equalFold(a, b string) bool {
	return len(a) == len(b) && (a == b || lower(a[0]) == lower(b[0]) && equalFoldRest(a, b))
}

func equalFoldRest(a, b string) bool {
	for i := 1; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
