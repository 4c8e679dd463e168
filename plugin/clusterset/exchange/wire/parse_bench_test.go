package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/miekg/dns"
)

// BenchmarkParse is the parser beside what is the least that miekg/dns takes with the same
// rules: a look at each record for its memory and its end, then Unpack.
func BenchmarkParse(b *testing.B) {
	several := func(n int, format string) (texts []string) {
		for i := range n {
			texts = append(texts, fmt.Sprintf(format, i))
		}
		return texts
	}
	opt := []byte{0, 0, byte(dns.TypeOPT), 4, 0xd0, 0, 0, 0, 0, 0, 0}
	for _, bm := range []struct {
		name  string
		texts [3][]string
	}{
		{"address", [3][]string{{askedName + " 5 IN A 10.101.0.1"}}},
		{"10 addresses", [3][]string{several(10, askedName+" 5 IN A 10.101.0.%d")}},
		{"NXDOMAIN", [3][]string{nil, {"cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"}}},
		{"CNAME", [3][]string{{askedName + " 5 IN CNAME a.default.svc.cluster.local.", "a.default.svc.cluster.local. 5 IN A 10.101.0.1"}}},
		{"3 SRV", [3][]string{several(3, askedName+" 5 IN SRV 0 33 80 p-%d."+askedName), nil, several(3, "p-%d."+askedName+" 5 IN A 10.101.0.1")}},
		{"TXT", [3][]string{{askedName + ` 5 IN TXT "a" "b"`}}},
	} {
		counts, behind := packed(b, bm.texts, true)
		counts[2]++
		packet, q := reply(0, counts, append(behind, opt...))
		for name, parse := range map[string]func([]byte, bool) (*dns.Msg, error){"own": q.Parse, "miekg": q.unpack} {
			b.Run(bm.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := parse(packet, true); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		q.Free()
	}
}

// unpack is Parse by miekg/dns.
func (q *Query) unpack(reply []byte, datagram bool) (*dns.Msg, error) {
	err := measure(reply, HeaderLen+len(q.question))
	if err != nil && (!datagram || !errors.Is(err, errCut)) {
		return nil, ErrMalformed
	}
	m := new(dns.Msg)
	if m.Unpack(reply) != nil {
		return nil, ErrMalformed
	}
	m.Truncated = m.Truncated || err != nil || datagram && len(reply) > MaxSize
	m.Id, m.Question[0] = 0, q.asked
	return m, nil
}

// measure bounds the records' memory, and finds those that are cut.
func measure(msg []byte, off int) error {
	memory, records := maxMemory(msg), 0
	for nth := 1; nth <= 3; nth++ {
		records += int(binary.BigEndian.Uint16(msg[countOffset+2*nth:]))
	}
	for range records {
		d := data{msg: msg, off: off}
		d.name() // the owner
		head := d.skip(recordLen)
		if len(head) < recordLen {
			return errCut
		}
		end := d.off + int(binary.BigEndian.Uint16(head[8:]))
		if end > len(msg) {
			return errCut
		}
		p := parser{msg: msg, off: end, memory: memory}
		if memory -= placeSize + d.size + p.size(binary.BigEndian.Uint16(head), d.off); memory < 0 {
			return errMemory
		}
		off = end
	}
	return nil
}

// TestUnpackedSame: both make the same of a reply.
func TestUnpackedSame(t *testing.T) {
	for name, texts := range parseTexts {
		counts, behind := packed(t, texts, true)
		packet, q := reply(0, counts, behind)
		got, err := q.Parse(packet, true)
		want, wantErr := q.unpack(packet, true)
		if err != nil || wantErr != nil {
			t.Fatalf("%s: %v, %v", name, err, wantErr)
		}
		wantSame(t, got, want, packet)
		q.Free()
	}
}
