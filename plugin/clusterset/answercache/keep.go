package answercache

import (
	"slices"
	"time"

	"github.com/miekg/dns"
)

// Kind of an answer: each has a capacity of its own.
type Kind uint8

const (
	// Positive says that there are records of the type asked for, or a CNAME.
	Positive Kind = iota
	// Negative says that the name doesn't exist (NXDOMAIN), or has no records of
	// that type (NODATA).
	Negative
	// Kinds is how many there are.
	Kinds
)

// maxTTL bounds how long an answer is fresh, in seconds: as CoreDNS's cache
// plugin does, whatever a member says.
const maxTTL = 3600

// verdict is whether a reply is kept, and how.
type verdict struct {
	kind Kind
	// ttl is how long it is fresh, in seconds.
	ttl uint32
	// keep is set where the reply is kept.
	keep bool
	// replaces is set where the reply is the member's last word about the name, so that
	// nothing older is kept, whether it is or not.
	replaces bool
}

// judge returns the verdict on a reply to a question of that type: kept are those that
// are complete and say what there is (NOERROR) or that there is nothing. A failure
// is never kept: RFC 9520 asks for that of resolvers, and a member is not asked
// anyway while it is down.
func judge(reply *dns.Msg, qtype uint16, negativeTTL uint32) verdict {
	if reply.Truncated || (reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError) {
		return verdict{}
	}
	v := verdict{kind: Positive, ttl: least(reply), keep: true, replaces: true}
	soa := soaOf(reply.Ns)
	switch {
	case reply.Rcode == dns.RcodeSuccess && has(reply.Answer, qtype):
		return v
	case soa != nil: // RFC 2308, section 5: also where a CNAME leads to nothing
		v.kind, v.ttl = Negative, min(v.ttl, negativeTTL, soa.Minttl)
		v.keep = v.ttl > 0
		return v
	case reply.Rcode == dns.RcodeSuccess && len(reply.Answer) > 0: // a CNAME that leads elsewhere
		return v
	}
	return verdict{replaces: true} // a negative answer that doesn't say for how long
}

// least returns the least TTL of the reply's records, maxTTL at the most.
func least(reply *dns.Msg) uint32 {
	ttl := uint32(maxTTL)
	for _, rrs := range [...][]dns.RR{reply.Answer, reply.Ns, reply.Extra} {
		for _, rr := range rrs {
			if h := rr.Header(); isRecord(h) {
				ttl = min(ttl, h.Ttl)
			}
		}
	}
	return ttl
}

// isRecord reports whether a record is of the answer, and not of the message: RFC 6891,
// section 6.2.1; RFC 8945, section 5.2.
func isRecord(h *dns.RR_Header) bool {
	return h.Rrtype != dns.TypeOPT && h.Rrtype != dns.TypeTSIG
}

func soaOf(authority []dns.RR) *dns.SOA {
	for _, rr := range authority {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

func has(answer []dns.RR, qtype uint16) bool {
	if qtype == dns.TypeANY {
		return len(answer) > 0
	}
	return slices.ContainsFunc(answer, func(rr dns.RR) bool { return rr.Header().Rrtype == qtype })
}

// Weights: an answer counts as one for each started weightUnit of memory that it
// takes, so that the memory is bounded and not just the number of answers.
const (
	weightUnit = 1 << 10
	// maxWeight is of the heaviest answer that is kept: some 500 addresses.
	maxWeight = 64
	// What an answer takes, in bytes, about: by itself, with its places in the
	// queues, and each of its records.
	answerSize, addressSize, recordSize = 448, 128, 192
	// dataFactor is how much more than in a message records of many small parts
	// (TXT, SVCB) take in memory.
	dataFactor = 16
)

// weigh returns an answer's weight.
func weigh(m *dns.Msg, names int) int {
	size := answerSize + names
	for _, rrs := range [...][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range rrs {
			switch rr.(type) {
			case *dns.A, *dns.AAAA:
				size += addressSize
			case *dns.SRV, *dns.CNAME, *dns.PTR, *dns.NS, *dns.SOA, *dns.MX:
				size += recordSize + dns.Len(rr)
			default:
				size += recordSize + dataFactor*dns.Len(rr)
			}
		}
	}
	return (size + weightUnit - 1) / weightUnit
}

// seconds returns a TTL as a duration.
func seconds(ttl uint32) time.Duration { return time.Duration(ttl) * time.Second }
