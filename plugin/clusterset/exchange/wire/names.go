package wire

import (
	"encoding/binary"
	"slices"

	"github.com/miekg/dns"
)

// names are those that a reply has in full, by their offset, so that all pointers to one
// share its string.
type names struct {
	// few has the first ones, and many the others, in the order of the reply, which is how
	// it is read.
	few  [2]nameAt
	many []nameAt
	n    int
	// pointed is the last one found inside another by a pointer.
	pointed nameAt
}

type nameAt struct {
	off  int
	name string
}

// name returns the name at off, which must end before end, and where it does.
func (p *parser) name(off, end int) (name string, next int, err error) {
	at, known := off, false
	if off+1 < end && p.msg[off] >= pointer {
		at = p.pointedAt(off)
		if name, known = p.nameAt(at); known {
			return name, off + 2, nil
		}
	}
	name, next, err = dns.UnpackDomainName(p.msg[:end], off)
	if err == nil {
		err = p.spend(allocated(len(name)))
	}
	switch {
	case err != nil:
	case at != off:
		p.names.pointed = nameAt{at, name}
	default:
		p.names.add(nameAt{off, name})
	}
	return name, next, err
}

func (s *names) add(n nameAt) {
	if s.n < len(s.few) {
		s.few[s.n] = n
	} else {
		s.many = append(s.many, n)
	}
	s.n++
}

// nameAt returns the name at off, if it has been read.
func (p *parser) nameAt(off int) (string, bool) {
	if off == HeaderLen {
		return p.query.asked.Name, true
	}
	s := &p.names
	if s.pointed.off == off && s.pointed.name != "" {
		return s.pointed.name, true
	}
	for i := range s.few[:min(s.n, len(s.few))] {
		if s.few[i].off == off {
			return s.few[i].name, true
		}
	}
	i, found := slices.BinarySearchFunc(s.many, off, func(n nameAt, off int) int { return n.off - off })
	if !found {
		return "", false
	}
	return s.many[i].name, true
}

// named returns the common records that are names; nil for others.
func (p *parser) named(h *dns.RR_Header, start int) (rr dns.RR, err error) {
	var target *string
	nameFrom := start
	switch h.Rrtype {
	case dns.TypeCNAME:
		r := &dns.CNAME{Hdr: *h}
		rr, target = r, &r.Target
	case dns.TypePTR:
		r := &dns.PTR{Hdr: *h}
		rr, target = r, &r.Ptr
	case dns.TypeNS:
		r := &dns.NS{Hdr: *h}
		rr, target = r, &r.Ns
	case dns.TypeSRV:
		r := &dns.SRV{Hdr: *h}
		rr, target = r, &r.Target
		if nameFrom += srvName; nameFrom < p.off {
			r.Priority, r.Weight, r.Port = srvFields(p.msg[start:])
		}
	}
	if rr == nil || nameFrom >= p.off { // without data, as Unpack takes it
		return nil, nil
	}
	var next int
	if *target, next, err = p.name(nameFrom, p.off); err != nil {
		return nil, err
	}
	if next != p.off {
		return nil, ErrMalformed
	}
	return rr, p.spend(plainSize)
}

// srvName is where an SRV record's data have the target: RFC 2782.
const srvName = 6

func srvFields(data []byte) (priority, weight, port uint16) {
	return binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:]), binary.BigEndian.Uint16(data[4:])
}
