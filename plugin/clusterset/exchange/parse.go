package exchange

import (
	"bytes"
	"encoding/binary"

	"github.com/miekg/dns"
)

const (
	// toQuestion is a compression pointer to the question's name, right behind
	// the header: RFC 1035, section 4.1.4.
	toQuestion = 0xC000 | headerLen
	// A record is an owner and recordLen bytes (type, class, TTL, length of the
	// data), so minRecord at the least: RFC 1035, section 4.1.3.
	recordLen = 10
	minRecord = recordLen + 1
)

// parsed is a reply with room for what most replies have, to be made at one go.
type parsed struct {
	dns.Msg
	question      [1]dns.Question
	answer, extra [1]dns.RR
	opt           dns.OPT
}

// parser reads the records of a reply. It makes the same of them as dns.Msg's
// Unpack, which it leaves all to that is not a member's daily answer. What it
// spares is unpacking the question's name again, as often as the reply has it.
type parser struct {
	msg  []byte
	off  int
	wire *wire
	into *parsed
}

// parse makes a message of a reply that w is answered by. Its question and the
// owners that are spelled like it have the name as it was asked, and its id is 0.
// An error is errMalformed.
func (w *wire) parse(reply []byte) (*dns.Msg, error) {
	p := parser{msg: reply, off: headerLen + len(w.question), wire: w, into: new(parsed)}
	m := &p.into.Msg
	setHeader(&m.MsgHdr, binary.BigEndian.Uint16(reply[flagsOffset:]))
	p.into.question[0] = w.asked
	m.Question = p.into.question[:]
	var err error
	if m.Answer, err = p.section(1, p.into.answer[:0]); err != nil {
		return nil, err
	}
	if m.Ns, err = p.section(2, nil); err != nil {
		return nil, err
	}
	if m.Extra, err = p.section(3, p.into.extra[:0]); err != nil {
		return nil, err
	}
	if o := m.IsEdns0(); o != nil {
		m.Rcode |= o.ExtendedRcode()
	}
	return m, nil
}

// setHeader sets what a reply's header may say: the opcode is QUERY's, which is 0.
func setHeader(h *dns.MsgHdr, bits uint16) {
	h.Response = true
	h.Authoritative = bits&flagAA != 0
	h.Truncated = bits&flagTC != 0
	h.RecursionDesired = bits&flagRD != 0
	h.RecursionAvailable = bits&flagRA != 0
	h.Zero = bits&flagZ != 0
	h.AuthenticatedData = bits&flagAD != 0
	h.CheckingDisabled = bits&flagCD != 0
	h.Rcode = int(bits & maskRcode)
}

// section reads as many records as the header counts in its nth section, or
// there are: a truncated reply may count those that were cut off.
func (p *parser) section(nth int, room []dns.RR) ([]dns.RR, error) {
	count := int(binary.BigEndian.Uint16(p.msg[countOffset+2*nth:]))
	if count > cap(room) {
		room = make([]dns.RR, 0, min(count, (len(p.msg)-p.off)/minRecord))
	}
	for range count {
		if p.off == len(p.msg) {
			break
		}
		rr, err := p.record()
		if err != nil {
			return nil, errMalformed
		}
		room = append(room, rr)
	}
	return room, nil
}

func (p *parser) record() (dns.RR, error) {
	owner, err := p.owner()
	if err != nil || len(p.msg)-p.off < recordLen {
		return nil, errMalformed
	}
	b := p.msg[p.off:]
	h := dns.RR_Header{
		Name:   owner,
		Rrtype: binary.BigEndian.Uint16(b), Class: binary.BigEndian.Uint16(b[2:]),
		Ttl: binary.BigEndian.Uint32(b[4:]), Rdlength: binary.BigEndian.Uint16(b[8:]),
	}
	start := p.off + recordLen
	p.off = start + int(h.Rdlength)
	if p.off > len(p.msg) {
		return nil, errMalformed
	}
	if rr := p.plain(&h, p.msg[start:p.off]); rr != nil {
		return rr, nil
	}
	rr, _, err := dns.UnpackRRWithHeader(h, p.msg[:p.off], start)
	return rr, err
}

// owner reads the name that a record begins with. Servers give the question's as
// a pointer or, CoreDNS, written out.
func (p *parser) owner() (name string, err error) {
	b, asked := p.msg[p.off:], p.wire.question[:len(p.wire.question)-4]
	switch {
	case len(b) >= 2 && binary.BigEndian.Uint16(b) == toQuestion:
		p.off += 2
		return p.wire.asked.Name, nil
	case bytes.HasPrefix(b, asked):
		p.off += len(asked)
		return p.wire.asked.Name, nil
	case len(b) > 0 && b[0] == 0: // of an OPT record
		p.off++
		return ".", nil
	}
	name, p.off, err = dns.UnpackDomainName(p.msg, p.off)
	return name, err
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

// plain makes the records that most replies consist of: addresses, and an OPT
// record without options. It gives nil for others.
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
