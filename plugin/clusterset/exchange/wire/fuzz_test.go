package wire

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/miekg/dns"
)

// FuzzReply takes a whole message for the reply to its own question, and looks at what
// is made of it: how large that is in memory, beside the message.
func FuzzReply(f *testing.F) {
	f.Fuzz(func(t *testing.T, packet []byte, datagram bool) {
		name, off, err := dns.UnpackDomainName(packet, HeaderLen)
		if err != nil || off+4 > len(packet) {
			return
		}
		q := question(name)
		q.Type = uint16(packet[off])<<8 | uint16(packet[off+1])
		w, err := Pack(q)
		if err != nil {
			return
		}
		defer w.Free()
		if !w.AnsweredBy(packet, false) {
			return
		}
		m, err := w.Parse(packet, datagram)
		if err != nil {
			return
		}
		if size := sizeOf(m); size > bound(packet)+len(name) {
			t.Errorf("%d bytes in memory for %d:\n%v", size, len(packet), m)
		}
		if packet[countOffset+1] == 1 && !m.Truncated && counted(packet) != len(m.Answer)+len(m.Ns)+len(m.Extra) {
			t.Errorf("taken as whole, with %d records for %d", len(m.Answer)+len(m.Ns)+len(m.Extra), counted(packet))
		}
	})
}

// bound is what a reply may take: 16 times its size, or that of the smallest message
// that everybody takes, and what a message without records takes besides its question's
// name.
func bound(packet []byte) int {
	return 16*max(len(packet), dns.MinMsgSize) + int(unsafe.Sizeof(parsed{}))
}

// counted are the records in the header's counts.
func counted(packet []byte) int {
	n := 0
	for at := countOffset + 2; at < HeaderLen; at += 2 {
		n += int(packet[at])<<8 | int(packet[at+1])
	}
	return n
}

// sizeOf is how many bytes a message takes, with all it points to, each counted once.
func sizeOf(m *dns.Msg) int {
	s := sizing{seen: map[unsafe.Pointer]bool{}}
	s.add(reflect.ValueOf(m))
	return s.size
}

type sizing struct {
	seen map[unsafe.Pointer]bool
	size int
}

func (s *sizing) add(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && s.counts(v.UnsafePointer(), int(v.Type().Elem().Size())) {
			s.add(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			s.add(v.Elem())
		}
	case reflect.String:
		s.counts(unsafe.Pointer(unsafe.StringData(v.String())), v.Len())
	case reflect.Slice:
		if s.counts(v.UnsafePointer(), v.Cap()*int(v.Type().Elem().Size())) {
			for i := range v.Len() {
				s.add(v.Index(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.add(v.Field(i))
		}
	}
}

// counts adds what is at p, unless it was added before.
func (s *sizing) counts(p unsafe.Pointer, size int) bool {
	if p == nil || s.seen[p] {
		return false
	}
	s.seen[p] = true
	s.size += size
	return true
}
