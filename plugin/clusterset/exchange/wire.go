package exchange

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// Layout of a message's header: RFC 1035, section 4.1.1.
const (
	headerLen   = 12
	flagReply   = 0x80 // in byte 2
	opcodeMask  = 0x78 // in byte 2
	countOffset = 4
)

// wire is a packed query, and where its question is in it.
type wire struct {
	msg      []byte
	question []byte
}

func newWire(m *dns.Msg) (*wire, error) {
	packed, err := m.Pack()
	if err != nil {
		return nil, err
	}
	end := headerLen
	for packed[end] != 0 { // the first name has no compression pointer
		end += int(packed[end]) + 1
	}
	return &wire{packed, packed[headerLen : end+5]}, nil
}

func (w *wire) setID(id uint16) { binary.BigEndian.PutUint16(w.msg, id) }

// answeredBy tells whether reply, a message with the right id, is a reply to
// this very question: RFC 5452, section 9.1. Names compare without regard to
// case (RFC 4343); lengths of labels are below 'A', so folding leaves them be.
func (w *wire) answeredBy(reply []byte) bool {
	if len(reply) < headerLen+len(w.question) {
		return false
	}
	if reply[2]&flagReply == 0 || reply[2]&opcodeMask != 0 || binary.BigEndian.Uint16(reply[countOffset:]) != 1 {
		return false
	}
	nameLen := len(w.question) - 4
	for i, b := range w.question[:nameLen] {
		if fold(b) != fold(reply[headerLen+i]) {
			return false
		}
	}
	return string(w.question[nameLen:]) == string(reply[headerLen+nameLen:headerLen+len(w.question)])
}

func fold(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + ('a' - 'A')
	}
	return b
}

// answers is answeredBy for a parsed reply, whose id may have been set by its
// transport.
func answers(reply, query *dns.Msg) bool {
	if !reply.Response || len(reply.Question) != 1 {
		return false
	}
	r, q := reply.Question[0], query.Question[0]
	return r.Qtype == q.Qtype && r.Qclass == q.Qclass && sameName(r.Name, q.Name)
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
