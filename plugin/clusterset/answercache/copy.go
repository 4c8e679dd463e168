package answercache

import (
	"math"

	"github.com/miekg/dns"
)

// shape is how many records of each sort a message has, so that a copy of it takes few
// allocations.
type shape struct{ a, aaaa, all int }

// Address records, with their addresses.
type (
	recordA struct {
		dns.A
		addr [4]byte
	}
	recordAAAA struct {
		dns.AAAA
		addr [16]byte
	}
)

// Messages with their question; those with one address, as most are, whole.
type (
	message struct {
		dns.Msg
		question [1]dns.Question
	}
	messageA struct {
		message
		records [1]dns.RR
		a       [1]recordA
	}
	messageAAAA struct {
		message
		records [1]dns.RR
		aaaa    [1]recordAAAA
	}
)

func shapeOf(m *dns.Msg) shape {
	var s shape
	for _, rrs := range [...][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range rrs {
			if !isRecord(rr.Header()) {
				continue
			}
			s.all++
			switch rr := rr.(type) {
			case *dns.A:
				if len(rr.A) == 4 {
					s.a++
				}
			case *dns.AAAA:
				if len(rr.AAAA) == 16 {
					s.aaaa++
				}
			}
		}
	}
	return s
}

// copier copies messages. A copy shares nothing with its message that can be changed.
type copier struct {
	// age is subtracted from the TTLs, and most is their bound.
	age, most uint32
	records   []dns.RR
	a         []recordA
	aaaa      []recordAAAA
}

// unlimited is no bound of TTLs.
const unlimited = math.MaxUint32

func (s shape) copyOf(m *dns.Msg, age, most uint32) *dns.Msg {
	c := copier{age: age, most: most}
	var into *message
	switch s {
	case shape{a: 1, all: 1}:
		room := new(messageA)
		into, c.records, c.a = &room.message, room.records[:0], room.a[:]
	case shape{aaaa: 1, all: 1}:
		room := new(messageAAAA)
		into, c.records, c.aaaa = &room.message, room.records[:0], room.aaaa[:]
	default:
		into, c.records = new(message), make([]dns.RR, 0, s.all)
		c.a, c.aaaa = make([]recordA, s.a), make([]recordAAAA, s.aaaa)
	}
	into.MsgHdr, into.Compress = m.MsgHdr, m.Compress
	if len(m.Question) == 1 {
		into.question[0] = m.Question[0]
		into.Question = into.question[:]
	}
	into.Answer, into.Ns, into.Extra = c.section(m.Answer), c.section(m.Ns), c.section(m.Extra)
	return &into.Msg
}

// section returns a copy of a section. What is appended to one section never reaches the
// next.
func (c *copier) section(rrs []dns.RR) []dns.RR {
	start := len(c.records)
	for _, rr := range rrs {
		if isRecord(rr.Header()) {
			c.records = append(c.records, c.record(rr))
		}
	}
	end := len(c.records)
	if start == end {
		return nil
	}
	return c.records[start:end:end]
}

func (c *copier) record(rr dns.RR) dns.RR {
	switch rr := rr.(type) {
	case *dns.A:
		if len(rr.A) == 4 {
			r := &c.a[0]
			c.a = c.a[1:]
			r.Hdr, r.addr = rr.Hdr, [4]byte(rr.A)
			r.Hdr.Ttl = c.ttl(rr.Hdr.Ttl)
			r.A.A = r.addr[:]
			return &r.A
		}
	case *dns.AAAA:
		if len(rr.AAAA) == 16 {
			r := &c.aaaa[0]
			c.aaaa = c.aaaa[1:]
			r.Hdr, r.addr = rr.Hdr, [16]byte(rr.AAAA)
			r.Hdr.Ttl = c.ttl(rr.Hdr.Ttl)
			r.AAAA.AAAA = r.addr[:]
			return &r.AAAA
		}
	}
	other := dns.Copy(rr)
	other.Header().Ttl = c.ttl(other.Header().Ttl)
	return other
}

func (c *copier) ttl(ttl uint32) uint32 { return min(ttl-min(c.age, ttl), c.most) }
