package clusterset

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// manyAddresses has n addresses of one name, 16 bytes each in a message.
func manyAddresses(t *testing.T, n int) dns.HandlerFunc {
	t.Helper()
	var zone strings.Builder
	zone.WriteString(memberZone)
	for i := range n {
		fmt.Fprintf(&zone, "many.default.svc.cluster.local. 5 IN A 10.101.%d.%d\n", i/250, i%250+1)
	}
	answer := clustertest.Zone(t, zone.String())
	return func(w dns.ResponseWriter, r *dns.Msg) { answer(compressing{w}, r) }
}

type compressing struct{ dns.ResponseWriter }

func (w compressing) WriteMsg(m *dns.Msg) error {
	m.Compress = true
	return w.ResponseWriter.WriteMsg(m)
}

// cutting cuts what is written over UDP at n bytes, whatever the header says then.
type cutting struct {
	dns.ResponseWriter
	at int
}

func (w cutting) WriteMsg(m *dns.Msg) error {
	b, err := m.Pack()
	if err != nil {
		return err
	}
	if w.LocalAddr().Network() == "udp" {
		b = b[:min(len(b), w.at)]
	}
	_, err = w.Write(b)
	return err
}

// TestUpstreamsAsTheyAre: members' servers that cut, don't take EDNS, speak only UDP, or
// answer with another rcode: clients get what they would of a better one, or the truth.
func TestUpstreamsAsTheyAre(t *testing.T) {
	many := manyAddresses(t, 120)
	cut := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) { many(cutting{w, 509}, r) })
	between := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) { many(cutting{w, 12 + 36 + 16*31}, r) })
	noEDNS := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.IsEdns0() != nil {
			clustertest.Rcode(dns.RcodeFormatError)(w, r)
			return
		}
		many(w, r)
	})
	drops := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.IsEdns0() == nil {
			many(w, r)
		}
	})
	datagrams := serveDatagrams(t, many)
	notAuth := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype == dns.TypeSOA {
			many(w, r)
			return
		}
		clustertest.Rcode(dns.RcodeNotAuth)(w, r)
	})
	two := `- {name: two, serviceCIDRs: [10.101.0.0/19], dns: ["` + notAuth.Addr.String() + `", "` + clustertest.Serve(t, many).Addr.String() + `"]}` + "\n"
	s := serveSet(t, clusterAt("cut", cut.Addr.String(), "")+clusterAt("between", between.Addr.String(), "")+clusterAt("noedns", noEDNS.Addr.String(), "")+
		clusterAt("drops", drops.Addr.String(), "")+clusterAt("datagrams", datagrams, "")+clusterAt("notauth", notAuth.Addr.String(), "")+two, "timeout 5s\ncache 0")
	for _, member := range []string{"cut", "between", "noedns", "drops", "datagrams", "two"} {
		for range 2 {
			m := lookup(t, s.addr, "tcp", "many.default."+member+".lan.", dns.TypeA)
			if m.Rcode != dns.RcodeSuccess || m.Truncated || len(m.Answer) != 120 {
				t.Errorf("%s: %s, %d records, TC %v", member, dns.RcodeToString[m.Rcode], len(m.Answer), m.Truncated)
			}
			m = lookup(t, s.addr, "udp", "many.default."+member+".lan.", dns.TypeA)
			if m.Rcode != dns.RcodeSuccess || !m.Truncated {
				t.Errorf("%s over UDP: %s, %d records, TC %v", member, dns.RcodeToString[m.Rcode], len(m.Answer), m.Truncated)
			}
		}
	}
	m := lookup(t, s.addr, "udp", "many.default.notauth.lan.", dns.TypeA)
	if _, text := explanation(m); m.Rcode != dns.RcodeServerFailure || !strings.HasSuffix(text, "answered NOTAUTH") {
		t.Errorf("NOTAUTH: %s, %q", dns.RcodeToString[m.Rcode], text)
	}
}

// serveDatagrams serves over UDP alone; nobody listens on the port over TCP.
func serveDatagrams(t *testing.T, handler dns.HandlerFunc) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe() // it ends with the socket
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return conn.LocalAddr().String()
}

// TestReplyThatGrows: a reply of 64 KB that is all compression pointers takes no more than
// what it is, of twenty clients too.
func TestReplyThatGrows(t *testing.T) {
	hostile := func(w dns.ResponseWriter, r *dns.Msg) {
		b, err := new(dns.Msg).SetReply(r).Pack()
		if err != nil {
			return
		}
		if w.LocalAddr().Network() == "udp" {
			b[2] |= 2 // TC
			_, _ = w.Write(b)
			return
		}
		const pointers = 30000
		b[7] = 1
		b = append(b, 0xc0, 12, 0, byte(dns.TypeHIP), 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0)
		b[len(b)-6], b[len(b)-5] = byte((2*pointers+4)>>8), byte((2*pointers+4)&0xff)
		for range pointers {
			b = append(b, 0xc0, 12)
		}
		_, _ = w.Write(b)
	}
	s := serveSet(t, clusterAt("c1", clustertest.Serve(t, hostile).Addr.String(), ""), "cache 0")
	name := strings.Repeat("n", 63) + "." + strings.Repeat("m", 63) + ".c1.lan."
	lookup(t, s.addr, "tcp", name, dns.TypeHIP)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const clients = 20
	for range clients {
		if m := lookup(t, s.addr, "tcp", name, dns.TypeHIP); m.Rcode != dns.RcodeServerFailure {
			t.Fatalf("got %s", dns.RcodeToString[m.Rcode])
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / clients; took > 2<<20 { // with both servers' part
		t.Errorf("%d bytes for each", took)
	}
}
