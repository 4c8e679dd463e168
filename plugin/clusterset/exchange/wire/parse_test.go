package wire

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"github.com/miekg/dns"
)

const askedName = "Web.default.svc.cluster.local."

// reply is replyTo the question for askedName.
func reply(flags uint16, counts [3]uint16, behind []byte) ([]byte, *Query) {
	return replyTo(askedName, flags, counts, behind)
}

// replyTo returns a reply to the question for a name: a header with flags and
// counts, the question, and what comes behind it.
func replyTo(name string, flags uint16, counts [3]uint16, behind []byte) ([]byte, *Query) {
	q, err := Pack(question(name))
	if err != nil {
		panic(err)
	}
	b := make([]byte, HeaderLen, MaxSize)
	binary.BigEndian.PutUint16(b[flagsOffset:], flags&^maskOpcode|flagQR)
	b[countOffset+1] = 1
	for i, n := range counts {
		binary.BigEndian.PutUint16(b[countOffset+2+2*i:], n)
	}
	return append(append(b, q.question...), behind...), q
}

// wantAsUnpack compares parse with dns.Msg's Unpack: they take and refuse the
// same replies, and make the same message of them. (Where the question's case
// differs, owners do: TestParseCase.) Unpack takes no notice of records that are counted
// and not there, and what it makes may be of any size.
func wantAsUnpack(t *testing.T, flags uint16, counts [3]uint16, behind []byte) {
	t.Helper()
	packet, w := reply(flags, counts, behind)
	defer w.Free()
	if !w.AnsweredBy(packet, false) {
		t.Fatalf("not a reply: %x", packet)
	}
	want := new(dns.Msg)
	wantErr := want.Unpack(packet)
	missing := false
	for i, section := range [][]dns.RR{want.Answer, want.Ns, want.Extra} {
		missing = missing || len(section) < int(counts[i])
	}
	for _, datagram := range []bool{false, true} {
		got, err := w.Parse(packet, datagram)
		cut := errors.Is(wouldFail(w, packet), errCut)
		switch {
		case err != nil && !errors.Is(err, ErrMalformed):
			t.Fatalf("error %v: %x", err, packet)
		case datagram && cut:
			if err != nil || !got.Truncated {
				t.Errorf("a datagram that is cut: %v, %v", got, err)
			}
			continue
		case (err != nil) != (wantErr != nil || missing || wouldFail(w, packet) != nil):
			t.Fatalf("error %v, Unpack's %v: %x", err, wantErr, packet)
		}
		if err == nil {
			wantSame(t, got, want, packet)
		}
	}
}

// wouldFail is what parsing the packet fails with.
func wouldFail(w *Query, packet []byte) error {
	p := parser{msg: packet, off: HeaderLen + len(w.question), query: w, into: new(parsed), memory: 9 * maxMemory(packet)}
	err := p.sections(new(dns.Msg))
	if errors.Is(err, errCut) || errors.Is(err, errMemory) {
		return err
	}
	return nil
}

func wantSame(t *testing.T, got, want *dns.Msg, packet []byte) {
	t.Helper()
	for _, section := range []*[]dns.RR{&got.Answer, &got.Ns, &got.Extra} {
		if len(*section) == 0 {
			*section = nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("parsed\n%v, want\n%v\nof %x", got, want, packet)
	}
}

// parseTexts are replies by the text of their records, in three sections, packed
// with and without compression. They are the fuzz test's seeds too.
var parseTexts = map[string][3][]string{
	"nothing":          {},
	"an address":       {{askedName + " 5 IN A 10.101.0.1"}},
	"an IPv6 address":  {{askedName + " 5 IN AAAA fd00::1"}},
	"addresses":        {{askedName + " 5 IN A 10.101.0.1", askedName + " 5 IN A 10.101.0.2", askedName + " 5 IN AAAA fd00::1"}},
	"another class":    {{askedName + " 5 CH A 10.101.0.1"}},
	"another owner":    {{"other.cluster.local. 5 IN A 10.101.0.1"}},
	"a longer owner":   {{"a." + askedName + " 5 IN A 10.101.0.1"}},
	"the root's":       {{". 5 IN A 10.101.0.1"}},
	"escapes":          {{`a\.b\000.cluster.local. 5 IN TXT "a" "\"b\""`}},
	"a CNAME":          {{askedName + " 5 IN CNAME a.cluster.local.", "a.cluster.local. 5 IN A 10.101.0.1"}},
	"SRV":              {{askedName + " 5 IN SRV 0 50 80 a." + askedName}, nil, {"a." + askedName + " 5 IN A 10.101.0.1"}},
	"an SOA":           {nil, {"cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"}},
	"a name server":    {{askedName + " 5 IN A 10.101.0.1"}, {"cluster.local. 5 IN NS ns.cluster.local."}, {"ns.cluster.local. 5 IN AAAA fd00::1"}},
	"an unknown type":  {{askedName + ` 5 IN TYPE65280 \# 3 010203`}},
	"without data":     {{askedName + ` 5 IN TYPE65280 \# 0`}},
	"TXT and more":     {{askedName + ` 5 IN TXT "a" "b"`, askedName + " 5 IN A 10.101.0.1"}},
	"SVCB with a hint": {{askedName + " 5 IN HTTPS 1 . alpn=h2 ipv4hint=10.101.0.1"}},
}

// parseTails are replies by what stands behind the question.
var parseTails = map[string]struct {
	counts [3]uint16
	behind []byte
}{
	"records that are not there":      {[3]uint16{9, 9, 9}, nil},
	"garbage":                         {[3]uint16{9, 0, 0}, []byte{0xff, 0xff, 0xff}},
	"a bare owner":                    {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen}},
	"half a pointer":                  {[3]uint16{1, 0, 0}, []byte{0xc0}},
	"half a header":                   {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0}},
	"an address cut off":              {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101}},
	"an address of 3 bytes":           {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 3, 10, 101, 0}},
	"an address of 5 bytes":           {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 5, 10, 101, 0, 1, 2}},
	"an address of none":              {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 0}},
	"an IPv6 address of 17 bytes":     {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen, 0, 28, 0, 1, 0, 0, 0, 5, 0, 17, 16: 1, 28: 0}},
	"a pointer to itself":             {[3]uint16{1, 0, 0}, []byte{0xc0, 46, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1}},
	"a pointer into the question":     {[3]uint16{1, 0, 0}, []byte{0xc0, HeaderLen + 4, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1}},
	"a pointer to the header":         {[3]uint16{1, 0, 0}, []byte{0xc0, 0, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1}},
	"more than is counted":            {[3]uint16{0, 0, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1}},
	"OPT":                             {[3]uint16{0, 0, 1}, []byte{0, 0, 41, 16, 0, 0, 0, 0x80, 0, 0, 0}},
	"OPT with BADVERS":                {[3]uint16{0, 0, 1}, []byte{0, 0, 41, 16, 0, 1, 0, 0, 0, 0, 0}},
	"two OPT":                         {[3]uint16{0, 0, 2}, []byte{0, 0, 41, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 41, 16, 0, 2, 0, 0, 0, 0, 0}},
	"OPT with an extended error":      {[3]uint16{0, 0, 1}, []byte{0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 7, 0, 15, 0, 3, 0, 22, 'x'}},
	"OPT with half an option":         {[3]uint16{0, 0, 1}, []byte{0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 2, 0, 15}},
	"OPT with a malformed option":     {[3]uint16{0, 0, 1}, []byte{0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 1, 0}},
	"OPT with a name":                 {[3]uint16{0, 0, 1}, []byte{0xc0, HeaderLen, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0}},
	"OPT among the answers":           {[3]uint16{1, 0, 0}, []byte{0, 0, 41, 16, 0, 1, 0, 0, 0, 0, 0}},
	"OPT, and garbage that is read":   {[3]uint16{0, 0, 2}, []byte{0, 0, 41, 16, 0, 1, 0, 0, 0, 0, 0, 0xff}},
	"OPT, and garbage that is not":    {[3]uint16{0, 0, 1}, []byte{0, 0, 41, 16, 0, 1, 0, 0, 0, 0, 0, 0xff}},
	"garbage behind the first answer": {[3]uint16{2, 1, 0}, []byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1, 0x40}},
}

// messageOf is a message with those records in its sections, and how many there are.
func messageOf(t testing.TB, name string, texts [3][]string, compress bool) (m *dns.Msg, counts [3]uint16) {
	t.Helper()
	m = &dns.Msg{Question: []dns.Question{{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}}}
	m.Compress = compress
	for i, section := range []*[]dns.RR{&m.Answer, &m.Ns, &m.Extra} {
		for _, text := range texts[i] {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			*section = append(*section, rr)
		}
		counts[i] = uint16(len(*section))
	}
	return m, counts
}

// packed returns the counts, and the records as they stand behind the question.
func packed(t testing.TB, texts [3][]string, compress bool) (counts [3]uint16, behind []byte) {
	t.Helper()
	return packedFor(t, askedName, texts, compress)
}

func TestParse(t *testing.T) {
	for name, texts := range parseTexts {
		t.Run(name, func(t *testing.T) {
			for _, compress := range []bool{false, true} {
				counts, behind := packed(t, texts, compress)
				wantAsUnpack(t, 0, counts, behind)
			}
		})
	}
	for name, tail := range parseTails {
		t.Run(name, func(t *testing.T) { wantAsUnpack(t, 0, tail.counts, tail.behind) })
	}
	for bit := range 16 {
		wantAsUnpack(t, 1<<bit, [3]uint16{}, nil)
	}
}

// TestParseCase: the question, and owners that point to it, are given as they
// were asked for, whatever the reply's case; names written out are the reply's.
func TestParseCase(t *testing.T) {
	packet, w := reply(0, [3]uint16{2, 0, 0}, append([]byte{0xc0, HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1},
		"\x03WEB\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x0a\x65\x00\x02"...))
	defer w.Free()
	copy(packet[HeaderLen+1:], "wEB")
	if !w.AnsweredBy(packet, false) {
		t.Fatal("not a reply")
	}
	m, err := w.Parse(packet, false)
	if err != nil {
		t.Fatal(err)
	}
	const spelled = "WEB.default.svc.cluster.local."
	if q, a, b := m.Question[0].Name, m.Answer[0].Header().Name, m.Answer[1].Header().Name; q != askedName || a != askedName || b != spelled {
		t.Errorf("question %s, owners %s and %s; want %s, %s and %s", q, a, b, askedName, askedName, spelled)
	}
}

// FuzzParse: whatever stands behind a question that matches, parse makes of it
// what Unpack does, and panics at nothing.
func FuzzParse(f *testing.F) {
	for _, texts := range parseTexts {
		for _, compress := range []bool{false, true} {
			counts, behind := packed(f, texts, compress)
			f.Add(uint16(0), counts[0], counts[1], counts[2], behind)
		}
	}
	for _, tail := range parseTails {
		f.Add(uint16(maskRcode), tail.counts[0], tail.counts[1], tail.counts[2], tail.behind)
	}
	f.Fuzz(func(t *testing.T, flags, answers, authority, additional uint16, behind []byte) {
		wantAsUnpack(t, flags, [3]uint16{answers, authority, additional}, behind)
	})
}
