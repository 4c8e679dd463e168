package exchange

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/miekg/dns"
)

// Layout of a message's header: RFC 1035, section 4.1.1; AD and CD are of RFC
// 4035, section 3.
const (
	headerLen   = 12
	flagsOffset = 2
	countOffset = 4

	flagQR     = 1 << 15 // a reply
	maskOpcode = 0xF << 11
	flagAA     = 1 << 10
	flagTC     = 1 << 9
	flagRD     = 1 << 8
	flagRA     = 1 << 7
	flagZ      = 1 << 6
	flagAD     = 1 << 5
	flagCD     = 1 << 4
	maskRcode  = 0xF
)

const (
	// maxName is the longest that a name is in a message, in bytes: RFC 1035,
	// section 2.3.4.
	maxName = 255
	// wireSize holds every query of ours, with the longest name and a few bytes
	// of options.
	wireSize = 512
	// flagDO is in the lower half of an OPT record's TTL: RFC 6891, section
	// 6.1.4.
	flagDO = 1 << 15
)

// wire is a packed query, and what its reply is told by. It is reused.
type wire struct {
	msg []byte
	// question is where msg has it: name, type and class.
	question []byte
	asked    dns.Question
}

var wires = sync.Pool{New: func() any { return &wire{msg: make([]byte, 0, wireSize)} }}

var errNoName = errors.New("no name")

// newWire packs q. The name is packed as miekg/dns does, which knows the escapes,
// with room for no more than a name may take.
func newWire(q *Query) (*wire, error) {
	w := wires.Get().(*wire)
	end, err := dns.PackDomainName(q.Name, w.msg[:headerLen+maxName], headerLen, nil, false)
	if err == nil && end == headerLen {
		err = errNoName
	}
	if err != nil {
		w.free()
		return nil, err
	}
	w.asked = dns.Question{Name: q.Name, Qtype: q.Type, Qclass: dns.ClassINET}
	w.msg = binary.BigEndian.AppendUint16(w.msg[:end], q.Type)
	w.msg = binary.BigEndian.AppendUint16(w.msg, dns.ClassINET)
	w.question = w.msg[headerLen:]
	w.header(q)
	if q.EDNS.Size > 0 {
		w.msg = q.EDNS.append(w.msg)
	}
	return w, nil
}

// free is for when nobody has the wire any more.
func (w *wire) free() {
	w.asked.Name = ""
	wires.Put(w)
}

func (w *wire) header(q *Query) {
	var bits uint16
	if q.RecursionDesired {
		bits |= flagRD
	}
	if q.AuthenticatedData {
		bits |= flagAD
	}
	if q.CheckingDisabled {
		bits |= flagCD
	}
	h := w.msg[:headerLen]
	clear(h)
	binary.BigEndian.PutUint16(h[flagsOffset:], bits)
	h[countOffset+1] = 1 // question
	if q.EDNS.Size > 0 {
		h[headerLen-1] = 1 // additional record
	}
}

// append adds the OPT record to a message: RFC 6891, section 6.1.2.
func (e *EDNS) append(msg []byte) []byte {
	var flags, length uint16
	if e.DO {
		flags = flagDO
	}
	if e.Option.Code != 0 {
		length = uint16(4 + len(e.Option.Data))
	}
	msg = append(msg, 0) // the root's name
	msg = binary.BigEndian.AppendUint16(msg, dns.TypeOPT)
	msg = binary.BigEndian.AppendUint16(msg, e.Size)
	msg = append(msg, 0, 0) // extended rcode, version
	msg = binary.BigEndian.AppendUint16(msg, flags)
	msg = binary.BigEndian.AppendUint16(msg, length)
	if e.Option.Code == 0 {
		return msg
	}
	msg = binary.BigEndian.AppendUint16(msg, e.Option.Code)
	msg = binary.BigEndian.AppendUint16(msg, uint16(len(e.Option.Data)))
	return append(msg, e.Option.Data...)
}

func (w *wire) setID(id uint16) { binary.BigEndian.PutUint16(w.msg, id) }

// answeredBy tells whether reply, a message with the right id, is a reply to
// this very question: RFC 5452, section 9.1.
func (w *wire) answeredBy(reply []byte) bool {
	if len(reply) < headerLen+len(w.question) {
		return false
	}
	bits := binary.BigEndian.Uint16(reply[flagsOffset:])
	if bits&(flagQR|maskOpcode) != flagQR || binary.BigEndian.Uint16(reply[countOffset:]) != 1 {
		return false
	}
	question := reply[headerLen : headerLen+len(w.question)]
	return bytes.Equal(question, w.question) || w.sameQuestion(question)
}

// sameQuestion compares names without regard to case (RFC 4343); lengths of
// labels are below 'A', so folding leaves them be.
func (w *wire) sameQuestion(question []byte) bool {
	nameLen := len(w.question) - 4
	for i, b := range w.question[:nameLen] {
		if fold(b) != fold(question[i]) {
			return false
		}
	}
	return bytes.Equal(question[nameLen:], w.question[nameLen:])
}

func fold(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}

// answers is answeredBy for a parsed reply, whose id may have been set by its
// transport.
func answers(reply *dns.Msg, asked dns.Question) bool {
	if !reply.Response || len(reply.Question) != 1 {
		return false
	}
	r := reply.Question[0]
	return r.Qtype == asked.Qtype && r.Qclass == asked.Qclass && sameName(r.Name, asked.Name)
}

func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if fold(a[i]) != fold(b[i]) {
			return false
		}
	}
	return true
}
