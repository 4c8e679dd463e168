package query

import (
	"strings"

	"github.com/miekg/dns"
)

// Renaming carries names from a member's domain to the zone asked under:
// "web.default.svc.cluster.local." becomes "web.default.svc.c1.lan.".
type Renaming struct {
	// Asked is the client's question name; AskedOf the member's.
	Asked, AskedOf string
	// Domain is the member's own domain, Suffix its zone here.
	Domain, Suffix string
}

// Identity tells whether the member serves the names as they are asked here,
// so that its signatures stay good.
func (r *Renaming) Identity() bool {
	return equalFold(r.Asked, r.AskedOf) && equalFold(r.Domain, r.Suffix)
}

// Answer renames a record of the answer section, in place: the owner that was
// asked becomes the question's name, in its form and case. It is false for a
// record whose owner is outside the member's domain, of which the member has no say,
// and for one that can't be renamed. Names in its data that lead outside stay as they
// are (an ExternalName's).
func (r *Renaming) Answer(rr dns.RR) bool {
	h := rr.Header()
	if equalFold(h.Name, r.AskedOf) {
		h.Name = r.Asked
		return r.data(rr)
	}
	return r.fromData(&h.Name) && isName(h.Name) && r.data(rr) // a CNAME led to it
}

// Other renames a record of the other sections.
func (r *Renaming) Other(rr dns.RR) bool {
	h := rr.Header()
	return r.Name(&h.Name) && isName(h.Name) && r.data(rr)
}

// data renames the names that a record holds besides its owner. It is false for a
// record that holds the member's domain elsewhere, or a name that is too long here.
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

// fromData renames a name that doesn't come from the question, and so hasn't its
// case. It is false for one outside the member's domain.
func (r *Renaming) fromData(name *string) bool {
	inside := InZone(*name, r.Domain)
	if inside {
		*name = (*name)[:len(*name)-len(r.Domain)] + strings.ToLower(r.Suffix)
	}
	return inside
}

// Name renames one name, and reports whether it is in the member's domain. Others stay as
// they are.
func (r *Renaming) Name(name *string) bool {
	inside := InZone(*name, r.Domain)
	if inside {
		*name = (*name)[:len(*name)-len(r.Domain)] + r.Suffix
	}
	return inside
}

// isName reports whether a name is no longer than one may be: 255 bytes in a message,
// which are as text one less, or more where some are escaped (RFC 1035, sections 2.3.4
// and 5.1).
func isName(name string) bool {
	const most = 255
	if len(name) < most {
		return true
	}
	_, err := dns.PackDomainName(name, make([]byte, most), 0, nil, false)
	return err == nil
}

// InZone tells whether name is zone or below it. RFC 4343: without regard to
// case.
func InZone(name, zone string) bool {
	cut := len(name) - len(zone)
	if cut < 0 || !equalFold(name[cut:], zone) {
		return false
	}
	return cut == 0 || zone == "." || (name[cut-1] == '.' && !escaped(name, cut-1))
}

// equalFold compares ASCII letters without regard to case, as RFC 4343 says;
// strings.EqualFold would fold Unicode as well.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
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
