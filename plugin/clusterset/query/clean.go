package query

import (
	"cmp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const (
	// maxTTL bounds a member's TTLs, in seconds: as long as CoreDNS's cache plugin keeps an
	// answer.
	maxTTL = 3600
	// topBit makes a TTL zero: RFC 2181, section 8.
	topBit = 1 << 31
)

// Clean removes from a member's reply, in place, what no answer may hold, in any section:
// records of a class other than IN, of a meta type, or with data that their type doesn't
// have; and name servers, as an iterating resolver would ask those from then on, past this
// server. It bounds TTLs, and clears the AD bit, which only a server on a trusted path may
// set (RFC 6840, section 5.8).
//
// It needs the lengths that the data had in the message, so the reply must have just been
// unpacked.
func Clean(m *dns.Msg) {
	m.AuthenticatedData = false
	m.Answer, m.Ns, m.Extra = cleaned(m.Answer), cleaned(m.Ns), cleaned(m.Extra)
}

func cleaned(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(rrs, func(rr dns.RR) bool {
		h := rr.Header()
		if h.Rrtype == dns.TypeOPT { // its class and TTL are something else: RFC 6891, section 6.1.2
			return false
		}
		h.Ttl = BoundedTTL(h.Ttl)
		escapeOctets(rr)
		return h.Class != dns.ClassINET || isMeta(h.Rrtype) || h.Rrtype == dns.TypeNS || !wellFormed(rr)
	})
}

// escapeOctets escapes backslashes in the text of a CAA or URI record: the library unpacks
// them as they are, and packs them as the start of an escape.
func escapeOctets(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.CAA:
		rr.Value = strings.ReplaceAll(rr.Value, `\`, `\\`)
	case *dns.URI:
		rr.Target = strings.ReplaceAll(rr.Target, `\`, `\\`)
	}
}

// BoundedTTL returns the TTL to answer with for one that a member sent.
func BoundedTTL(ttl uint32) uint32 {
	if ttl&topBit != 0 {
		return 0
	}
	return min(ttl, maxTTL)
}

// isMeta reports whether a type is for questions and messages only: RFC 6895, section 3.1.
func isMeta(rrtype uint16) bool { return rrtype == dns.TypeNone || 128 <= rrtype && rrtype <= 255 }

// wellFormed reports whether a record's data are complete. Unpacking checks all but this:
// empty data are an update's (RFC 2136, section 2.4), and they, as well as data that end
// after any field, are unpacked without an error.
func wellFormed(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return len(rr.A) > 0
	case *dns.AAAA:
		return len(rr.AAAA) > 0
	case *dns.NULL, *dns.APL, *dns.RFC3597: // may be empty
		return true
	case *dns.SVCB:
		return HasNames(rr) && hasMandatory(rr)
	case *dns.HTTPS:
		return HasNames(rr) && hasMandatory(&rr.SVCB)
	}
	return rr.Header().Rdlength > 0 && HasNames(rr) && hasRest(rr)
}

// HasNames reports whether a record has all names of its type.
func HasNames(rr dns.RR) bool {
	switch rr.(type) {
	case *dns.IPSECKEY, *dns.AMTRELAY: // the gateway may be none, or an address
		return true
	}
	has := true
	eachName(rr, func(name *string) { has = has && *name != "" })
	return has
}

// minSOA is two names of a byte, and five numbers: RFC 1035, section 3.3.13.
const minSOA = 22

// hasRest reports whether a record is complete after its names, or has none and is complete.
func hasRest(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.TXT: // one string is enough
		return true
	case *dns.SOA:
		return rr.Hdr.Rdlength >= minSOA
	case *dns.RRSIG:
		return rr.Signature != ""
	}
	named := false
	eachName(rr, func(*string) { named = true })
	return named || isPackedAs(rr, rr.Header().Rdlength)
}

// isPackedAs reports whether a record's data pack into no more than so many bytes: missing
// fields pack as zeros.
func isPackedAs(rr dns.RR, size uint16) bool {
	const spare = 64
	packed := make([]byte, dns.Len(rr)+spare)
	_, err := dns.PackRR(rr, packed, 0, nil, false)
	return err == nil && rr.Header().Rdlength <= size
}

// hasMandatory reports whether a record has each key that it lists as mandatory: RFC 9460,
// section 8. Keys are in order, each once, and the list of mandatory ones is the first.
func hasMandatory(rr *dns.SVCB) bool {
	if len(rr.Value) == 0 {
		return true
	}
	mandatory, ok := rr.Value[0].(*dns.SVCBMandatory)
	if !ok {
		return true
	}
	for _, key := range mandatory.Code {
		_, has := slices.BinarySearchFunc(rr.Value, key, func(v dns.SVCBKeyValue, key dns.SVCBKey) int { return cmp.Compare(v.Key(), key) })
		if !has || key == dns.SVCB_MANDATORY {
			return false
		}
	}
	return len(mandatory.Code) > 0
}

// WithoutHints removes the addresses from SVCB and HTTPS records: RFC 9460, section 7.3. A
// client looks them up instead, and those are checked.
func WithoutHints(rr dns.RR) {
	var svcb *dns.SVCB
	switch rr := rr.(type) {
	case *dns.SVCB:
		svcb = rr
	case *dns.HTTPS:
		svcb = &rr.SVCB
	default:
		return
	}
	isHint := func(key dns.SVCBKey) bool { return key == dns.SVCB_IPV4HINT || key == dns.SVCB_IPV6HINT }
	svcb.Value = slices.DeleteFunc(svcb.Value, func(v dns.SVCBKeyValue) bool {
		if m, ok := v.(*dns.SVCBMandatory); ok {
			m.Code = slices.DeleteFunc(m.Code, isHint)
			return len(m.Code) == 0
		}
		return isHint(v.Key())
	})
}

// HidesAddress reports whether a record may hold an address that isn't in an A or AAAA
// record and so isn't checked: A6, WKS, APL, IPSECKEY, AMTRELAY, and ILNP's locators (RFC
// 6742).
func HidesAddress(rr dns.RR) bool {
	const typeWKS, typeA6 = 11, 38 // miekg/dns doesn't know them
	switch rr.Header().Rrtype {
	case typeWKS, typeA6, dns.TypeAPL, dns.TypeIPSECKEY, dns.TypeAMTRELAY, dns.TypeL32, dns.TypeL64:
		return true
	}
	return false
}
