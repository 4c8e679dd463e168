package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"

	"github.com/miekg/dns"
)

const (
	// maxName is the longest that a name is in a message, in bytes: RFC 1035,
	// section 2.3.4.
	maxName = 255
	// querySize holds every query of ours, with the longest name and a few bytes
	// of options.
	querySize = 512
	// optSize is where an OPT record has its size, behind the root's name and the type:
	// RFC 6891, section 6.1.2.
	optSize = 3
	// flagDO is in the lower half of an OPT record's TTL: RFC 6891, section
	// 6.1.4.
	flagDO = 1 << 15
)

// Query is a packed question, and what its replies are recognized and parsed with. It is
// reused: Free ends it.
type Query struct {
	msg []byte
	// question is where msg has it: name, type and class.
	question []byte
	asked    dns.Question
	// withoutEDNS and large are the message's other forms, empty before they are needed.
	withoutEDNS, large []byte
	// parser is the replies', one after the other. In a frame it would be most of a
	// goroutine's first stack.
	parser parser
}

// Form is what a message carries of its query.
type Form uint8

const (
	// Usual is all of it, with no larger a size for the reply than DatagramSize.
	Usual Form = iota
	// WithoutEDNS is for an upstream that doesn't support it.
	WithoutEDNS
	// Large asks for MaxSize, where there is no stream for what is larger than
	// DatagramSize.
	Large
)

// As returns the message in a form, with the id 0. Only the query's own goroutine may be
// the first to ask for one.
func (q *Query) As(f Form) []byte {
	end := HeaderLen + len(q.question)
	switch {
	case f == Usual || len(q.msg) == end:
		return q.msg
	case f == WithoutEDNS && len(q.withoutEDNS) == 0:
		q.withoutEDNS = append(q.withoutEDNS, q.msg[:end]...)
		q.withoutEDNS[HeaderLen-1] = 0 // additional records
	case f == Large && len(q.large) == 0:
		q.large = append(q.large, q.msg...)
		binary.BigEndian.PutUint16(q.large[end+optSize:], MaxSize)
	}
	if f == WithoutEDNS {
		return q.withoutEDNS
	}
	return q.large
}

var queries = sync.Pool{New: func() any { return &Query{msg: make([]byte, 0, querySize)} }}

var errNoName = errors.New("no name")

// Pack packs a question. The name is packed as miekg/dns does, which knows the escapes,
// with room for no more than a name may take; an error says that it is none.
func Pack(question *Question) (*Query, error) {
	q := queries.Get().(*Query)
	end, err := dns.PackDomainName(question.Name, q.msg[:HeaderLen+maxName], HeaderLen, nil, false)
	if err == nil && end == HeaderLen {
		err = errNoName
	}
	if err != nil {
		q.Free()
		return nil, err
	}
	q.asked = dns.Question{Name: question.Name, Qtype: question.Type, Qclass: dns.ClassINET}
	q.msg = binary.BigEndian.AppendUint16(q.msg[:end], question.Type)
	q.msg = binary.BigEndian.AppendUint16(q.msg, dns.ClassINET)
	q.question = q.msg[HeaderLen:]
	q.header(question)
	if question.EDNS.Size > 0 {
		q.msg = question.EDNS.append(q.msg)
	}
	return q, nil
}

// Free gives the query back, when nobody uses it any more.
func (q *Query) Free() {
	q.asked.Name = ""
	q.withoutEDNS, q.large = q.withoutEDNS[:0], q.large[:0]
	q.parser = parser{}
	queries.Put(q)
}

func (q *Query) header(question *Question) {
	var bits uint16
	if question.RecursionDesired {
		bits |= flagRD
	}
	if question.AuthenticatedData {
		bits |= flagAD
	}
	if question.CheckingDisabled {
		bits |= flagCD
	}
	h := q.msg[:HeaderLen]
	clear(h)
	binary.BigEndian.PutUint16(h[flagsOffset:], bits)
	h[countOffset+1] = 1 // question
	if question.EDNS.Size > 0 {
		h[HeaderLen-1] = 1 // additional record
	}
}

// Sum returns a hash of the message without its id. Equal queries have one sum.
func (q *Query) Sum(seed maphash.Seed) uint64 {
	msg := q.msg[flagsOffset:]
	name := q.question[:len(q.question)-4]
	if hasUpper(name) {
		msg = bytes.Clone(msg)
		for i, b := range name {
			msg[HeaderLen-flagsOffset+i] = fold(b)
		}
	}
	return maphash.Bytes(seed, msg)
}

// Equal reports whether another query has the same message, but for the id and the case of
// the name (RFC 4343).
func (q *Query) Equal(other *Query) bool {
	a, b := q.msg[flagsOffset:HeaderLen], other.msg[flagsOffset:HeaderLen]
	end := HeaderLen + len(other.question)
	return bytes.Equal(a, b) && len(q.question) == len(other.question) &&
		other.sameQuestion(q.question) && bytes.Equal(q.msg[end:], other.msg[end:])
}

// AnsweredBy reports whether reply, a message of at least HeaderLen bytes with the right id,
// is a reply to this very question: RFC 5452, section 9.1. Of a datagram, the end may be
// missing.
func (q *Query) AnsweredBy(reply []byte, datagram bool) bool {
	bits := binary.BigEndian.Uint16(reply[flagsOffset:])
	if bits&(flagQR|maskOpcode) != flagQR {
		return false
	}
	switch binary.BigEndian.Uint16(reply[countOffset:]) {
	case 0:
		return IsFailure(int(bits&maskRcode)) || datagram && bits&flagTC != 0
	case 1:
	default:
		return false
	}
	question := reply[HeaderLen:]
	if len(question) < len(q.question) {
		return datagram && q.sameQuestion(question)
	}
	question = question[:len(q.question)]
	return bytes.Equal(question, q.question) || q.sameQuestion(question)
}

// sameQuestion reports whether the questions are the same, without regard to the names'
// case (RFC 4343); lengths of labels are below 'A', so folding leaves them be. A question
// that is cut is compared as far as it goes.
func (q *Query) sameQuestion(question []byte) bool {
	nameLen := min(len(q.question)-4, len(question))
	for i, b := range question[:nameLen] {
		if fold(b) != fold(q.question[i]) {
			return false
		}
	}
	return bytes.Equal(question[nameLen:], q.question[nameLen:len(question)])
}

func hasUpper(name []byte) bool {
	for _, b := range name {
		if 'A' <= b && b <= 'Z' {
			return true
		}
	}
	return false
}

func fold(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}
