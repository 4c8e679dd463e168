package wire

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/miekg/dns"
)

// A few bytes of a reply may become many in memory: a pointer a name of 1,004 bytes, an
// empty string's one byte a string's sixteen. So the most that a record can take is
// computed before it is unpacked, and the sum is bounded.
const (
	// memoryFactor is how many times its size a reply may take, and leastSize what counts as
	// its size at the least: few records, though their names are long, are no harm.
	memoryFactor, leastSize = 16, dns.MinMsgSize
	// placeSize is a record's place in its section, plainSize what an address or a name
	// takes besides the name, and recordSize what any other record does besides its data.
	placeSize, plainSize, recordSize = 16, 80, 144
	// stringSize, pairSize, prefixSize and bitSize are a string's place in a list, an
	// option, a prefix of addresses and a type in a bitmap, with four times the place of
	// each, as a list that grows leaves several behind.
	stringSize, pairSize, prefixSize, bitSize = 64, 112, 256, 8
	// escapes is how many bytes one of a string may take: RFC 1035, section 5.1.
	escapes = 4
)

var errMemory = errors.New("takes too much memory")

// maxMemory returns how much a reply may take, in bytes.
func maxMemory(reply []byte) int { return memoryFactor * max(len(reply), leastSize) }

// spend takes so many bytes from what the reply may still take.
func (p *parser) spend(bytes int) error {
	if p.memory -= bytes; p.memory < 0 {
		return errMemory
	}
	return nil
}

// shapes are what the data of those types are made of that hold names or lists: n is a
// name, s a character-string (RFC 1035, section 3.3), a digit so many bytes. What goes
// on to the end is N for names, S for character-strings, B for a bitmap of types (RFC
// 4034, section 4.1.2), O for EDNS options (RFC 6891), V for a service's parameters
// (RFC 9460), A for prefixes of addresses (RFC 3123). H and K are what HIP and NSEC3
// have before a list (RFC 8005, section 5; RFC 5155, section 3.2). The gateway of
// IPSECKEY and AMTRELAY is taken for a name, which it may be.
var shapes = map[uint16]string{
	dns.TypeMB: "n", dns.TypeMD: "n", dns.TypeMF: "n", dns.TypeMG: "n", dns.TypeMR: "n",
	dns.TypeDNAME: "n", dns.TypeNSAPPTR: "n", dns.TypeTSIG: "n", dns.TypeTKEY: "n",
	dns.TypeSOA: "nn", dns.TypeMINFO: "nn", dns.TypeRP: "nn", dns.TypeTALINK: "nn",
	dns.TypeMX: "2n", dns.TypeAFSDB: "2n", dns.TypeRT: "2n", dns.TypeKX: "2n", dns.TypeLP: "2n",
	dns.TypePX: "2nn", dns.TypeNAPTR: "4sssn", dns.TypeSIG: "99n", dns.TypeRRSIG: "99n",
	dns.TypeNSEC: "nB", dns.TypeNXT: "nB", dns.TypeNSEC3: "KB", dns.TypeCSYNC: "6B",
	dns.TypeHIP: "HN", dns.TypeIPSECKEY: "3n", dns.TypeAMTRELAY: "2n",
	dns.TypeSVCB: "2nV", dns.TypeHTTPS: "2nV", dns.TypeOPT: "O", dns.TypeAPL: "A",
	dns.TypeTXT: "S", dns.TypeSPF: "S", dns.TypeAVC: "S", dns.TypeNINFO: "S", dns.TypeRESINFO: "S",
}

// size returns the most that a record with these data takes. They may be malformed: then
// unpacking them ends where this does.
func (p *parser) size(rrtype uint16, start int) int {
	d := data{msg: p.msg[:p.off], off: start, size: recordSize}
	for _, part := range shapes[rrtype] {
		switch part {
		case 'N', 'S', 'O', 'V', 'A':
			for d.rest() > 0 && d.size <= p.memory {
				d.measure(part)
			}
		default:
			d.measure(part)
		}
	}
	return d.size + escapes*d.rest()
}

// data are a record's, while they are measured.
type data struct {
	msg       []byte
	off, size int
}

func (d *data) rest() int { return max(len(d.msg)-d.off, 0) }

// skip passes over n bytes, and returns those that are there.
func (d *data) skip(n int) []byte {
	from := min(d.off, len(d.msg))
	d.off += n
	return d.msg[from:min(d.off, len(d.msg))]
}

// counted passes over what has its length before it, in so many bytes.
func (d *data) counted(bytes int) []byte {
	n := 0
	for _, b := range d.skip(bytes) {
		n = n<<8 | int(b)
	}
	return d.skip(n)
}

// measure adds a part, or an item of a list.
func (d *data) measure(part rune) {
	switch part {
	case 'n':
		d.name()
	case 'N':
		d.name()
		d.size += stringSize
	case 's', 'S':
		d.size += stringSize + escapes*len(d.counted(1))
	case 'O':
		d.skip(2)
		d.size += pairSize + escapes*len(d.counted(2))
	case 'V':
		d.parameter()
	case 'A':
		d.size += prefixSize
		if head := d.skip(4); len(head) == 4 {
			d.skip(int(head[3] &^ 0x80))
		}
	case 'B':
		for _, b := range d.skip(d.rest()) {
			d.size += bitSize * bits.OnesCount8(b)
		}
	default:
		d.fixed(part)
	}
}

// fixed passes over what has no list in it.
func (d *data) fixed(part rune) {
	switch part {
	case 'H':
		if head := d.skip(4); len(head) == 4 {
			d.size += escapes * len(d.skip(int(head[0])+int(binary.BigEndian.Uint16(head[2:]))))
		}
	case 'K':
		d.skip(4)
		d.size += escapes * (len(d.counted(1)) + len(d.counted(1)))
	default:
		d.skip(int(part - '0'))
	}
}

// parameter adds one of a service's. Of a list of protocols, each byte may be one, and
// each address is a slice.
func (d *data) parameter() {
	d.size += pairSize
	head := d.skip(2)
	value := d.counted(2)
	if len(head) < 2 {
		return
	}
	switch dns.SVCBKey(binary.BigEndian.Uint16(head)) {
	case dns.SVCB_ALPN:
		for n := 0; n < len(value); n += 1 + int(value[n]) {
			d.size += stringSize
		}
		d.size += len(value)
	case dns.SVCB_IPV4HINT, dns.SVCB_IPV6HINT:
		d.size += 8 * len(value)
	default:
		d.size += 2 * len(value)
	}
}

// name adds the most that a name's text takes. Where it is malformed, nothing follows it.
func (d *data) name() {
	off, jumped, text := d.off, false, 0
	defer func() { d.size += allocated(text) }()
	d.off = len(d.msg)
	for left, jumps := maxName, maxName/2; off < len(d.msg) && left > 0 && jumps > 0; {
		n := int(d.msg[off])
		off++
		switch {
		case n >= pointer && off < len(d.msg):
			if !jumped {
				d.off, jumped = off+1, true
			}
			off = n&^pointer<<8 | int(d.msg[off])
			jumps--
			continue
		case n == 0:
			if !jumped {
				d.off = off
			}
			return
		case n >= pointer:
			return
		}
		for _, b := range d.msg[off:min(off+n, len(d.msg))] {
			text += textSize(b)
		}
		text++
		off += n
		left -= n + 1
	}
}

// allocated returns the most that the allocator takes for n bytes.
func allocated(n int) int {
	const small, step = 256, 16
	if n <= small {
		return (n + step - 1) &^ (step - 1)
	}
	return n + n/8
}

// textSize returns the most that a byte of a name takes as text.
func textSize(b byte) int {
	if 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_' {
		return 1
	}
	return escapes
}
