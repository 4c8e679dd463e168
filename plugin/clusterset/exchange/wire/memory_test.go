package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// record is one in wire format, its owner a pointer to the question.
func record(rrtype uint16, data []byte) []byte {
	b := []byte{pointer, HeaderLen, byte(rrtype >> 8), byte(rrtype), 0, 1, 0, 0, 0, 5}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

// full is as many copies of an item as go into a list of data, behind what is before it.
func full(before, item []byte) []byte {
	const most = 60000
	return append(slices.Clone(before), bytes.Repeat(item, (most-len(before))/len(item))...)
}

// records are as many copies of a record as go into a reply.
func records(record []byte) (n int, b []byte) {
	n = 60000 / len(record)
	return n, bytes.Repeat(record, n)
}

// windows are full bitmaps of types.
func windows() (b []byte) {
	for window := range 256 {
		b = append(append(b, byte(window), 32), bytes.Repeat([]byte{0xff}, 32)...)
	}
	return b
}

// TestMemory: however few bytes of a reply become many, it takes no more than 16 times
// its size, or is malformed.
func TestMemory(t *testing.T) {
	far := []byte{pointer, HeaderLen} // the question: as text 4 times as long, as it is not ASCII
	options := func(key uint16, value []byte) (b []byte) {
		for ; len(b) < 60000 && key < 65000; key++ {
			b = binary.BigEndian.AppendUint16(b, key)
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
		}
		return b
	}
	one := map[string][]byte{ // one record
		"HIP, servers":           record(dns.TypeHIP, full([]byte{0, 0, 0, 0}, far)),
		"HIP, servers, an error": append(record(dns.TypeHIP, full([]byte{0, 0, 0, 0}, far)), 0xff),
		"HIP, roots":             record(dns.TypeHIP, full([]byte{0, 0, 0, 0}, []byte{0})),
		"TXT, empty strings":     record(dns.TypeTXT, full(nil, []byte{0})),
		"TXT, short strings":     record(dns.TypeTXT, full(nil, []byte{1, 200})),
		"SPF":                    record(dns.TypeSPF, full(nil, []byte{0})),
		"AVC":                    record(dns.TypeAVC, full(nil, []byte{0})),
		"NINFO":                  record(dns.TypeNINFO, full(nil, []byte{0})),
		"RESINFO":                record(dns.TypeRESINFO, full(nil, []byte{0})),
		"APL":                    record(dns.TypeAPL, full(nil, []byte{0, 1, 0, 0})),
		"NSEC":                   record(dns.TypeNSEC, append(slices.Clone(far), windows()...)),
		"NSEC3":                  record(dns.TypeNSEC3, append([]byte{1, 0, 0, 0, 0, 1, 1}, windows()...)),
		"CSYNC":                  record(dns.TypeCSYNC, append(make([]byte, 6), windows()...)),
		"NXT":                    record(dns.TypeNXT, append(slices.Clone(far), windows()...)),
		"OPT, empty options":     record(dns.TypeOPT, full(nil, []byte{0xff, 1, 0, 0})),
		"OPT, extended errors":   record(dns.TypeOPT, full(nil, []byte{0, 15, 0, 2, 0, 1})),
		"OPT, unprintable":       record(dns.TypeOPT, full(nil, append([]byte{0, 18, 0, 200}, bytes.Repeat([]byte{1}, 200)...))),
		"SVCB, parameters":       record(dns.TypeSVCB, append([]byte{0, 1, 0}, options(1000, nil)...)),
		"HTTPS, protocols":       record(dns.TypeHTTPS, append([]byte{0, 1, 0, 0, 1, 0xea, 0x60}, bytes.Repeat([]byte{1, 'a'}, 30000)...)),
		"HTTPS, empty protocols": record(dns.TypeHTTPS, append([]byte{0, 1, 0, 0, 1, 0xea, 0x60}, make([]byte, 60000)...)),
		"HTTPS, addresses":       record(dns.TypeHTTPS, append([]byte{0, 1, 0, 0, 4, 0xea, 0x60}, make([]byte, 60000)...)),
		"an unknown type":        record(65280, make([]byte, 60000)),
		"URI":                    record(dns.TypeURI, append(make([]byte, 4), bytes.Repeat([]byte{1}, 60000)...)),
		"NULL":                   record(dns.TypeNULL, make([]byte, 60000)),
	}
	for rrtype := range dns.TypeToRR { // many records of each type, with little or no data
		for i, data := range [][]byte{nil, far, {0, 0, pointer, HeaderLen}, append(make([]byte, 6), far...), append(make([]byte, 18), far...), {0, 0, 0, 0, 0, 0, 0, pointer, HeaderLen}, append(slices.Clone(far), far...), make([]byte, 8), make([]byte, 24)} {
			_, b := records(record(rrtype, data))
			one[fmt.Sprintf("many of type %s, %d", dns.Type(rrtype), i)] = b
		}
	}
	root := append([]byte{0}, record(dns.TypeA, nil)[2:]...)
	_, one["many without owner or data"] = records(root)
	for name, behind := range one {
		t.Run(name, func(t *testing.T) {
			packet, w := hostile(behind)
			defer w.Free()
			for _, section := range []int{0, 1, 2} {
				for i := range 3 {
					binary.BigEndian.PutUint16(packet[countOffset+2+2*i:], 0)
				}
				binary.BigEndian.PutUint16(packet[countOffset+2+2*section:], uint16(max(1, countRecords(packet, w))))
				took := allocates(func() { _, _ = w.Parse(packet, false) })
				if took > memoryFactor*uint64(len(packet))+4096 { // the message itself
					t.Errorf("section %d: %d bytes of %d, %d times as many", section, took, len(packet), took/uint64(len(packet)))
				}
			}
		})
	}
}

// hostile is a reply with a question that is as long as it can be as text.
func hostile(behind []byte) ([]byte, *Query) {
	w, err := Pack(question(strings.Repeat(strings.Repeat(`\200`, 63)+".", 3) + strings.Repeat(`\200`, 61) + "."))
	if err != nil {
		panic(err)
	}
	w.asked.Name = strings.Clone(w.asked.Name)
	b := make([]byte, HeaderLen, dns.MaxMsgSize)
	b[flagsOffset] = flagQR >> 8
	b[countOffset+1] = 1
	return append(append(b, w.question...), behind...), w
}

// countRecords is how many stand behind the question.
func countRecords(packet []byte, w *Query) (n int) {
	for off := HeaderLen + len(w.question); off < len(packet); n++ {
		for packet[off] != 0 && packet[off] < pointer {
			off += 1 + int(packet[off])
		}
		if off++; packet[off-1] >= pointer {
			off++
		}
		if off+recordLen > len(packet) {
			return n
		}
		off += recordLen + int(binary.BigEndian.Uint16(packet[off+8:]))
	}
	return n
}

// allocates is how many bytes f allocates.
func allocates(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestMemoryOfAnswers: no answer that a server gives is taken for one that grows, however
// long the names; those that point to one place share it.
func TestMemoryOfAnswers(t *testing.T) {
	long := strings.Repeat("n", 63) + "." + strings.Repeat("m", 63) + ".svc." + strings.Repeat("d", 50) + ".cluster.local."
	several := func(n int, format string) (texts []string) {
		for i := range n {
			texts = append(texts, strings.NewReplacer("LONG", long, "%d", fmt.Sprint(i), "%x", fmt.Sprintf("%x", i)).Replace(format))
		}
		return texts
	}
	tests := map[string][3][]string{
		"addresses":          {several(250, "LONG 5 IN A 10.101.0.%d")},
		"IPv6 addresses":     {several(2000, "LONG 5 IN AAAA fd00::%x")},
		"behind a CNAME":     {append([]string{"LONG 5 IN CNAME a." + long}, several(250, "a.LONG 5 IN A 10.101.0.%d")...)},
		"SRV with addresses": {several(250, "LONG 5 IN SRV 0 50 80 p-%d.LONG"), nil, several(250, "p-%d.LONG 5 IN A 10.101.0.%d")},
		"SRV to one target":  {several(1000, "LONG 5 IN SRV 0 50 %d LONG")},
		"PTR":                {several(500, "LONG 5 IN PTR p-%d.LONG")},
		"NS":                 {nil, several(13, "cluster.local. 5 IN NS ns%d.dns.cluster.local."), several(13, "ns%d.dns.cluster.local. 5 IN A 10.101.0.%d")},
		"a chain":            {chain(20, long)},
		"MX":                 {several(50, "LONG 5 IN MX %d mail%d.LONG")},
		"TXT":                {several(50, `LONG 5 IN TXT "v=%d" "" "b" "a longer one, with = and ;"`)},
		"HTTPS":              {several(20, "LONG 5 IN HTTPS %d . alpn=h2,h3 ipv4hint=10.101.0.1,10.101.0.2 ipv6hint=fd00::1 port=443")},
		"NAPTR":              {several(50, `LONG 5 IN NAPTR 10 %d "S" "SIP+D2T" "" _sip._tcp.LONG`)},
		"CAA":                {several(20, `LONG 5 IN CAA 0 issue "ca%d.example"`)},
		"a signed NXDOMAIN":  {nil, append([]string{"cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"}, signed...)},
		"SOA":                {nil, []string{"cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"}},
		"DNAME":              {several(3, "LONG 5 IN DNAME d%d.LONG")},
	}
	for name, texts := range tests {
		for _, compress := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, compressed %v", name, compress), func(t *testing.T) {
				counts, behind := packedFor(t, long, texts, compress)
				packet, w := replyTo(long, 0, counts, behind)
				defer w.Free()
				if len(packet) > dns.MaxMsgSize {
					t.Skip("longer than a message")
				}
				got, err := w.Parse(packet, false)
				if err != nil {
					t.Fatalf("%d bytes: %v", len(packet), err)
				}
				want := new(dns.Msg)
				if err := want.Unpack(packet); err != nil {
					t.Fatal(err)
				}
				wantSame(t, got, want, packet)
				took := allocates(func() { _, _ = w.Parse(packet, false) })
				t.Logf("%.1f times %d bytes", float64(took)/float64(len(packet)), len(packet))
			})
		}
	}
}

// chain is of CNAMEs, each with the next one's owner.
func chain(n int, long string) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("a%d.%s 5 IN CNAME a%d.%s", i, long, i+1, long))
	}
	return texts
}

var signed = func() (texts []string) {
	for range 4 {
		texts = append(texts, "a.cluster.local. 5 IN NSEC b.cluster.local. A RRSIG NSEC TYPE65534",
			"a.cluster.local. 5 IN RRSIG NSEC 13 3 5 20300101000000 20260101000000 1 cluster.local. "+strings.Repeat("AAAA", 22))
	}
	return texts
}()

// packedFor is packed for another question.
func packedFor(t testing.TB, name string, texts [3][]string, compress bool) (counts [3]uint16, behind []byte) {
	t.Helper()
	m, counts := messageOf(t, name, texts, compress)
	b := make([]byte, 1<<20)
	b, err := m.PackBuffer(b)
	if err != nil {
		t.Skip(err) // longer than a message
	}
	bare, w := replyTo(name, 0, counts, nil)
	w.Free()
	return counts, b[len(bare):]
}

// TestShapes: every type with a name or a list in its data is known to have it, and no
// struct is larger than what is taken for it.
func TestShapes(t *testing.T) {
	letters := map[string]string{
		"domain-name": "nN", "cdomain-name": "nN", "txt": "S", "nsec": "B", "pairs": "V", "opt": "O", "apl": "A",
		"ipsechost": "n", "amtrelayhost": "n",
	}
	named := []uint16{dns.TypeCNAME, dns.TypePTR, dns.TypeNS, dns.TypeSRV} // by the parser itself
	for rrtype, newRR := range dns.TypeToRR {
		kind := reflect.TypeOf(newRR()).Elem()
		if kind.Size() > recordSize {
			t.Errorf("%s takes %d bytes", dns.Type(rrtype), kind.Size())
		}
		fields := reflect.VisibleFields(kind)
		for _, field := range fields {
			tag := strings.Split(field.Tag.Get("dns"), ":")[0]
			if letter := letters[tag]; letter != "" && !strings.ContainsAny(shapes[rrtype], letter) && !slices.Contains(named, rrtype) {
				t.Errorf("%s has a %s", dns.Type(rrtype), tag)
			}
			if field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() != reflect.Uint8 && letters[tag] == "" {
				t.Errorf("%s has a list %s", dns.Type(rrtype), field.Name)
			}
		}
	}
}
