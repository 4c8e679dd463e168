package wire

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/miekg/dns"
)

const (
	// toQuestion is a compression pointer to the question's name, right behind
	// the header: RFC 1035, section 4.1.4.
	toQuestion = pointer<<8 | HeaderLen
	// A record is an owner and recordLen bytes (type, class, TTL, length of the
	// data), so minRecord at the least: RFC 1035, section 4.1.3.
	recordLen = 10
	minRecord = recordLen + 1
	// pointer is what the first byte of a compression pointer is at the least, maxLabel
	// what that of a label is at the most.
	pointer, maxLabel = 0xC0, 63
)

// parsed is a message with room for what most replies have: one allocation.
type parsed struct {
	dns.Msg
	question      [1]dns.Question
	answer, extra [1]dns.RR
	opt           dns.OPT
}

// parser reads the records of a reply. It makes the same of them as dns.Msg's Unpack does,
// and has miekg/dns unpack all that is rare. It unpacks a name once, however often the
// reply has it: BenchmarkParse.
type parser struct {
	msg   []byte
	off   int
	query *Query
	into  *parsed
	// memory is what the records may still take, in bytes.
	memory int
	names  names
}

var (
	// ErrMalformed is a reply that can't be parsed, or would take too much memory.
	ErrMalformed = errors.New("malformed reply")
	// errCut is a reply that ends before its records do.
	errCut = errors.New("cut")
)

// Parse returns the message of a reply that AnsweredBy is true of. Its question and the
// owners that are spelled like it have the name as it was asked, and its id is 0.
// A datagram that is cut, longer than MaxSize, or holds less than it counts is truncated,
// whatever it says (RFC 2181, section 9), and what is whole of it is returned. The error
// is ErrMalformed.
func (q *Query) Parse(reply []byte, datagram bool) (*dns.Msg, error) {
	p := &q.parser
	*p = parser{}
	p.msg, p.off, p.query, p.into, p.memory = reply, HeaderLen+len(q.question), q, new(parsed), maxMemory(reply)
	m := &p.into.Msg
	setHeader(&m.MsgHdr, binary.BigEndian.Uint16(reply[flagsOffset:]))
	p.into.question[0] = q.asked
	m.Question = p.into.question[:]
	err := p.sections(m)
	switch {
	case err != nil && (!datagram || !errors.Is(err, errCut)):
		return nil, ErrMalformed
	case err != nil, datagram && len(reply) > MaxSize:
		m.Truncated = true
	}
	if o := m.IsEdns0(); o != nil {
		m.Rcode |= o.ExtendedRcode()
	}
	return m, nil
}

// sections reads what follows the question. Without one, the header is all there is.
func (p *parser) sections(m *dns.Msg) (err error) {
	switch {
	case binary.BigEndian.Uint16(p.msg[countOffset:]) == 0:
		return nil
	case p.off > len(p.msg):
		return errCut
	}
	if m.Answer, err = p.section(1, p.into.answer[:0]); err != nil {
		return err
	}
	if m.Ns, err = p.section(2, nil); err != nil {
		return err
	}
	m.Extra, err = p.section(3, p.into.extra[:0])
	return err
}

// section returns as many records as the header counts in its nth section, with an error
// those before it.
func (p *parser) section(nth int, room []dns.RR) ([]dns.RR, error) {
	count := int(binary.BigEndian.Uint16(p.msg[countOffset+2*nth:]))
	if count > cap(room) {
		count := min(count, (len(p.msg)-p.off)/minRecord)
		if err := p.spend(placeSize * count); err != nil {
			return room, err
		}
		room = make([]dns.RR, 0, count)
	}
	for range count {
		rr, err := p.record()
		if err != nil {
			return room, err
		}
		room = append(room, rr)
	}
	return room, nil
}

func (p *parser) record() (dns.RR, error) {
	owner, err := p.owner()
	if err != nil {
		return nil, err
	}
	b := p.msg[p.off:]
	if len(b) < recordLen {
		return nil, errCut
	}
	h := dns.RR_Header{
		Name:   owner,
		Rrtype: binary.BigEndian.Uint16(b), Class: binary.BigEndian.Uint16(b[2:]),
		Ttl: binary.BigEndian.Uint32(b[4:]), Rdlength: binary.BigEndian.Uint16(b[8:]),
	}
	start := p.off + recordLen
	if p.off = start + int(h.Rdlength); p.off > len(p.msg) {
		return nil, errCut
	}
	if rr := p.plain(&h, p.msg[start:p.off]); rr != nil {
		return rr, p.spend(plainSize)
	}
	if rr, err := p.named(&h, start); rr != nil || err != nil {
		return rr, err
	}
	if err := p.spend(p.size(h.Rrtype, start)); err != nil {
		return nil, err
	}
	rr, _, err := dns.UnpackRRWithHeader(h, p.msg[:p.off], start)
	return rr, err
}

// owner returns the name that a record begins with. Servers write the question's as
// a pointer or, CoreDNS, in full.
func (p *parser) owner() (name string, err error) {
	b, asked := p.msg[p.off:], p.query.question[:len(p.query.question)-4]
	switch {
	case len(b) >= 2 && binary.BigEndian.Uint16(b) == toQuestion:
		p.off += 2
		return p.query.asked.Name, nil
	case bytes.HasPrefix(b, asked):
		p.off += len(asked)
		return p.query.asked.Name, nil
	case len(b) > 0 && b[0] == 0: // of an OPT record
		p.off++
		return ".", nil
	case p.isCut():
		return "", errCut
	}
	name, p.off, err = p.name(p.off, len(p.msg))
	return name, err
}

// isCut reports whether the message ends within the name at p.off, as it stands there.
func (p *parser) isCut() bool {
	for off := p.off; off < len(p.msg); {
		n := int(p.msg[off])
		switch {
		case n == 0, n > maxLabel && n < pointer:
			return false
		case n >= pointer:
			return off+1 == len(p.msg)
		}
		off += 1 + n
	}
	return true
}

// pointedAt returns where the compression pointer at off leads.
func (p *parser) pointedAt(off int) int {
	return int(binary.BigEndian.Uint16(p.msg[off:])) &^ (pointer << 8)
}

// The address records, with their addresses.
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

// plain returns the records that most replies consist of: addresses, and an OPT
// record without options; nil for others.
func (p *parser) plain(h *dns.RR_Header, data []byte) dns.RR {
	switch {
	case h.Rrtype == dns.TypeA && len(data) == 4:
		r := &recordA{A: dns.A{Hdr: *h}, addr: [4]byte(data)}
		r.A.A = r.addr[:]
		return &r.A
	case h.Rrtype == dns.TypeAAAA && len(data) == 16:
		r := &recordAAAA{AAAA: dns.AAAA{Hdr: *h}, addr: [16]byte(data)}
		r.AAAA.AAAA = r.addr[:]
		return &r.AAAA
	case h.Rrtype == dns.TypeOPT && len(data) == 0 && p.into.opt.Hdr.Name == "": // the first one
		p.into.opt.Hdr = *h
		return &p.into.opt
	}
	return nil
}
