package batch

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// beside is a server that reads in batches, at 127.0.0.1, and the same one that doesn't, at
// 127.0.0.2.
const beside = `
(both) {
  acl {
    drop type MX
    block type SRV
  }
  errors
  tsig {
    secret key.example. NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=
    require TXT
  }
  template IN AAAA {
    answer "{{ .Name }} 5 IN AAAA 2001:db8::1"
  }
  misbehave
  whoami
}
example:PORT {
  bind 127.0.0.1
  batch
  import both
}
other:PORT {
  bind 127.0.0.1
  whoami
}
example:PORT {
  bind 127.0.0.2
  import both
}
other:PORT {
  bind 127.0.0.2
  whoami
}
`

// Every reply is byte for byte that of a server without batch.
func TestSame(t *testing.T) {
	_, port := start(t, beside)
	inBatches(t, "127.0.0.1:"+port)
	tests := map[string][]byte{
		"A": question("a.example.", dns.TypeA), "AAAA": question("a.example.", dns.TypeAAAA), "another block's": question("a.other.", dns.TypeA),
		"no block's": question("a.nowhere.", dns.TypeA), "dropped": question("a.example.", dns.TypeMX), "refused": question("a.example.", dns.TypeSRV),
		"root": question(".", dns.TypeNS), "DS": question("a.example.", dns.TypeDS), "panics": question("panics.example.", dns.TypeA),
		"never": question("never.example.", dns.TypeA), "closed": question("closed.example.", dns.TypeA), "raw": question("raw.example.", dns.TypeA),
		"large, cut": question("large.example.", dns.TypeA), "says": question("says.example.", dns.TypeA), "unsigned": question("says.example.", dns.TypeTXT),
		"short": []byte("\x12\x67"), "empty": {}, "a header": question("a.example.", dns.TypeA)[:12], "cut": question("a.example.", dns.TypeA)[:20],
		"late": question("late.example.", dns.TypeA),
	}
	edit := func(name string, f func(m *dns.Msg)) {
		m := new(dns.Msg).SetQuestion("large.example.", dns.TypeA)
		f(m)
		m.Id = 99
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		tests[name] = b
	}
	edit("EDNS 4096", func(m *dns.Msg) { m.SetEdns0(4096, true) })
	edit("EDNS 512", func(m *dns.Msg) { m.SetEdns0(512, false) })
	edit("EDNS version 1", func(m *dns.Msg) { m.SetEdns0(4096, false).IsEdns0().SetVersion(1) })
	edit("class CH", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })
	edit("a response", func(m *dns.Msg) { m.Response = true })
	edit("NOTIFY", func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify })
	edit("UPDATE", func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate })
	edit("STATUS", func(m *dns.Msg) { m.Opcode = dns.OpcodeStatus })
	edit("two questions", func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) })
	edit("no question", func(m *dns.Msg) { m.Question = nil })
	edit("answers", func(m *dns.Msg) {
		m.Answer = []dns.RR{&dns.NULL{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNULL, Class: 1}}, &dns.NULL{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNULL, Class: 1}}}
	})
	edit("longer than is read", func(m *dns.Msg) {
		m.SetEdns0(4096, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, 1000)}}
	})
	for name, packet := range tests {
		t.Run(name, func(t *testing.T) { same(t, port, packet) })
	}
}

// Queries that were changed at random: whatever a byte does, batch does the same.
func TestSameChanged(t *testing.T) {
	_, port := start(t, beside)
	inBatches(t, "127.0.0.1:"+port)
	seed := [32]byte{13}
	random := rand.New(rand.NewChaCha8(seed))
	m := new(dns.Msg).SetQuestion("large.example.", dns.TypeA)
	m.SetEdns0(1232, true)
	m.Id = 7
	good, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	c := client4(t)
	for range 1500 {
		packet := bytes.Clone(good)
		for range 1 + random.IntN(3) {
			packet[2+random.IntN(len(packet)-2)] = byte(random.Uint32()) // not the ID
		}
		got, want := repliesOf(t, c, "127.0.0.1:"+port, packet), repliesOf(t, c, "127.0.0.2:"+port, packet)
		if !bytes.Equal(got, want) {
			t.Fatalf("%x\ngets %x\nwithout batch: %x", packet, got, want)
		}
	}
}

func same(t *testing.T, port string, packet []byte) {
	t.Helper()
	c := client4(t)
	got, want := repliesOf(t, c, "127.0.0.1:"+port, packet), repliesOf(t, c, "127.0.0.2:"+port, packet)
	if !bytes.Equal(got, want) {
		t.Errorf("%x\ngets %x\nwithout batch: %x", packet, got, want)
	}
}

func client4(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

const (
	markID = 0xabcd
	// after is how long a reply may come after that to a query sent behind it.
	after = 50 * time.Millisecond
)

// repliesOf sends packet and returns the replies to it, one after the other. They end with
// the reply to another query.
func repliesOf(t *testing.T, c net.PacketConn, to string, packet []byte) (all []byte) {
	t.Helper()
	addr, err := net.ResolveUDPAddr("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	mark := question("mark.example.", dns.TypeA)
	binary.BigEndian.PutUint16(mark, markID)
	for _, b := range [][]byte{packet, mark} {
		if _, err := c.WriteTo(b, addr); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, dns.MaxMsgSize)
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for marked := false; ; {
		n, from, err := c.ReadFrom(b)
		switch {
		case err != nil && marked:
			return all
		case err != nil:
			t.Fatalf("no reply from %s: %v", to, err)
		case from.String() != to:
			t.Fatalf("a reply of %s, not %s", from, to)
		case binary.BigEndian.Uint16(b) == markID:
			if marked = true; len(all) > 0 {
				return all
			}
			_ = c.SetReadDeadline(time.Now().Add(after))
		default:
			if all = append(all, b[:n]...); marked {
				return all
			}
		}
	}
}
