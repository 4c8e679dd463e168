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
	// optSize is where an OPT record has its size, behind the root's name and the type:
	// RFC 6891, section 6.1.2.
	optSize = 3
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
	// bare and wide are the message's other forms, empty before they are needed.
	bare, wide []byte
	// parser is the replies', one after the other: on the stack, it would be the most of
	// what there is.
	parser parser
}

// form is what a message carries of its query.
type form uint8

const (
	// usual is all of it, with no larger a size for the reply than DatagramSize.
	usual form = iota
	// bare is without EDNS, for an upstream that doesn't take it.
	bare
	// wide is with MaxSize, where there is no stream for what DatagramSize is too
	// little for.
	wide
)

// as is the message in a form. It is the query's own goroutine that asks for one first.
func (w *wire) as(f form) []byte {
	end := headerLen + len(w.question)
	switch {
	case f == usual || len(w.msg) == end:
		return w.msg
	case f == bare && len(w.bare) == 0:
		w.bare = append(w.bare, w.msg[:end]...)
		w.bare[headerLen-1] = 0 // additional records
	case f == wide && len(w.wide) == 0:
		w.wide = append(w.wide, w.msg...)
		binary.BigEndian.PutUint16(w.wide[end+optSize:], MaxSize)
	}
	if f == bare {
		return w.bare
	}
	return w.wide
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
	w.bare, w.wide = w.bare[:0], w.wide[:0]
	w.parser = parser{}
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

// datagramSize is what is asked for: one of two sizes, whatever the client takes, so that
// equal questions are asked once. Each more under way would be one more that a forged
// reply may hit (RFC 5452, section 5).
func (e *EDNS) datagramSize() uint16 {
	if e.Size < DatagramSize {
		return dns.MinMsgSize
	}
	return DatagramSize
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
	msg = binary.BigEndian.AppendUint16(msg, e.datagramSize())
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

// answeredBy reports whether reply, a message with the right id, is a reply to this very
// question: RFC 5452, section 9.1. Of a datagram, the end may be missing.
func (w *wire) answeredBy(reply []byte, datagram bool) bool {
	bits := binary.BigEndian.Uint16(reply[flagsOffset:])
	if bits&(flagQR|maskOpcode) != flagQR {
		return false
	}
	switch binary.BigEndian.Uint16(reply[countOffset:]) {
	case 0:
		return isFailure(int(bits&maskRcode)) || datagram && bits&flagTC != 0
	case 1:
	default:
		return false
	}
	question := reply[headerLen:]
	if len(question) < len(w.question) {
		return datagram && w.sameQuestion(question)
	}
	question = question[:len(w.question)]
	return bytes.Equal(question, w.question) || w.sameQuestion(question)
}

// sameQuestion compares names without regard to case (RFC 4343); lengths of labels are
// below 'A', so folding leaves them be. A question that is cut is compared as far as it
// goes.
func (w *wire) sameQuestion(question []byte) bool {
	nameLen := min(len(w.question)-4, len(question))
	for i, b := range question[:nameLen] {
		if fold(b) != fold(w.question[i]) {
			return false
		}
	}
	return bytes.Equal(question[nameLen:], w.question[nameLen:len(question)])
}

func fold(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}
