package wire

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// Question is one question of class IN.
type Question struct {
	// Name is fully qualified, as a message's question has it in miekg/dns (RFC 1035,
	// section 5.1).
	Name string
	Type uint16
	// The header's bits of RFC 1035, section 4.1.1, and RFC 4035, section 3.
	RecursionDesired, AuthenticatedData, CheckingDisabled bool
	EDNS                                                  EDNS
}

// EDNS is a query's OPT record: RFC 6891, section 6.1.
type EDNS struct {
	// Size is the largest reply that the client takes over UDP, in bytes; 0 is a
	// query without EDNS. No upstream is asked for more than DatagramSize at first; for
	// less, it is RFC 1035's 512 bytes.
	Size uint16
	// DO is set when DNSSEC's records are wanted: RFC 3225.
	DO     bool
	Option Option
}

// Option is an EDNS option, whose meaning is the caller's. Code 0 is none.
type Option struct {
	Code uint16
	// Data is its bytes, of which there are few.
	Data string
}

const (
	// MaxSize is the largest reply read over UDP, in bytes, and so the largest
	// EDNS size that a query may ask for.
	MaxSize = 4096
	// DatagramSize is the largest that is asked for at first: what is larger may come in
	// fragments, which some links lose, always (RFC 9715). It comes over a stream.
	DatagramSize = 1232
)

// datagramSize is one of two sizes, whatever the client takes, so that equal questions
// are asked once. Each more in flight would be one more that a forged reply may hit (RFC
// 5452, section 5).
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
