package query

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/miekg/dns"
)

// eachName calls do with each name in a record's data, which it may change: of all types of
// RFC 1035 to RFC 9460.
func eachName(rr dns.RR, do func(*string)) {
	switch rr := rr.(type) {
	case *dns.A, *dns.AAAA, *dns.TXT: // most records
	case *dns.SRV:
		do(&rr.Target)
	case *dns.CNAME:
		do(&rr.Target)
	case *dns.DNAME:
		do(&rr.Target)
	case *dns.PTR:
		do(&rr.Ptr)
	case *dns.NS:
		do(&rr.Ns)
	case *dns.SOA:
		do(&rr.Ns)
		do(&rr.Mbox)
	case *dns.MX:
		do(&rr.Mx)
	case *dns.SVCB:
		do(&rr.Target)
	case *dns.HTTPS:
		do(&rr.Target)
	default:
		eachOldName(rr, do)
	}
}

// eachOldName is eachName for the types of RFC 1035 and RFC 1183.
func eachOldName(rr dns.RR, do func(*string)) {
	switch rr := rr.(type) {
	case *dns.MB:
		do(&rr.Mb)
	case *dns.MD:
		do(&rr.Md)
	case *dns.MF:
		do(&rr.Mf)
	case *dns.MG:
		do(&rr.Mg)
	case *dns.MR:
		do(&rr.Mr)
	case *dns.MINFO:
		do(&rr.Rmail)
		do(&rr.Email)
	case *dns.RP:
		do(&rr.Mbox)
		do(&rr.Txt)
	case *dns.AFSDB:
		do(&rr.Hostname)
	case *dns.RT:
		do(&rr.Host)
	default:
		eachRareName(rr, do)
	}
}

// eachRareName is eachName for the types of later RFCs.
func eachRareName(rr dns.RR, do func(*string)) {
	switch rr := rr.(type) {
	case *dns.NAPTR:
		do(&rr.Replacement)
	case *dns.PX:
		do(&rr.Map822)
		do(&rr.Mapx400)
	case *dns.KX:
		do(&rr.Exchanger)
	case *dns.NSAPPTR:
		do(&rr.Ptr)
	case *dns.LP:
		do(&rr.Fqdn)
	case *dns.TALINK:
		do(&rr.PreviousName)
		do(&rr.NextName)
	case *dns.HIP:
		for i := range rr.RendezvousServers {
			do(&rr.RendezvousServers[i])
		}
	case *dns.IPSECKEY:
		do(&rr.GatewayHost)
	case *dns.AMTRELAY:
		do(&rr.GatewayHost)
	default:
		eachSignedName(rr, do)
	}
}

// eachSignedName is eachName for the types of DNSSEC.
func eachSignedName(rr dns.RR, do func(*string)) {
	switch rr := rr.(type) {
	case *dns.NSEC:
		do(&rr.NextDomain)
	case *dns.NXT:
		do(&rr.NextDomain)
	case *dns.RRSIG:
		do(&rr.SignerName)
	case *dns.SIG:
		do(&rr.SignerName)
	}
}

// holdsUnseen reports whether a record holds the domain where eachName doesn't see it: in
// the text of a NAPTR or URI, or in the data of an unknown type (RFC 3597).
func holdsUnseen(rr dns.RR, domain string) bool {
	switch rr := rr.(type) {
	case *dns.NAPTR:
		return containsFold(rr.Regexp, domain)
	case *dns.URI:
		return containsFold(rr.Target, domain)
	case *dns.RFC3597:
		data, err := hex.DecodeString(rr.Rdata)
		return err != nil || containsFold(string(data), domain) || bytes.Contains(bytes.ToLower(data), packedName(domain))
	}
	return false
}

func containsFold(text, domain string) bool {
	return strings.Contains(strings.ToLower(text), strings.TrimSuffix(domain, "."))
}

// packedName returns a domain in wire form: RFC 1035, section 3.1.
func packedName(domain string) []byte {
	packed := make([]byte, len(domain)+1)
	n, _ := dns.PackDomainName(domain, packed, 0, nil, false) // the document's is valid
	return packed[:n]
}
