package exchange

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// rawServer is an upstream on one port that answers with bytes, and counts what comes.
type rawServer struct {
	Addr netip.AddrPort
	// sizes are the EDNS sizes that came over UDP, 0 without EDNS.
	mu       sync.Mutex
	sizes    []uint16
	udp, tcp atomic.Int64
}

// answersRaw makes the replies to a query.
type answersRaw func(query []byte) [][]byte

// noTCP has the port refuse TCP, silentTCP take it and say nothing, and closesTCP close
// the connection at a query.
var (
	noTCP     answersRaw
	silentTCP answersRaw = func([]byte) [][]byte { return nil }
	closesTCP answersRaw = func([]byte) [][]byte { return [][]byte{nil} }
)

func serveRaw(t testing.TB, udp, tcp answersRaw) *rawServer {
	t.Helper()
	listener, packets := listenBoth(t)
	s := &rawServer{Addr: packets.LocalAddr().(*net.UDPAddr).AddrPort()}
	var running sync.WaitGroup
	running.Go(func() { s.serveUDP(packets, udp) })
	if tcp == nil {
		_ = listener.Close()
	} else {
		running.Go(func() { s.serveTCP(listener, tcp) })
	}
	t.Cleanup(func() {
		_ = listener.Close()
		_ = packets.Close()
		running.Wait()
	})
	return s
}

func listenBoth(t testing.TB) (net.Listener, *net.UDPConn) {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(listener.Addr().(*net.TCPAddr).AddrPort()))
		if err == nil {
			return listener, packets
		}
		_ = listener.Close()
	}
	t.Fatal("no port")
	return nil, nil
}

func (s *rawServer) serveUDP(conn *net.UDPConn, answers answersRaw) {
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if query := new(dns.Msg); query.Unpack(buf[:n]) == nil && query.Question[0].Qtype != dns.TypeSOA {
			s.udp.Add(1)
			var size uint16
			if o := query.IsEdns0(); o != nil {
				size = o.UDPSize()
			}
			s.mu.Lock()
			s.sizes = append(s.sizes, size)
			s.mu.Unlock()
		}
		for _, packet := range answers(buf[:n:n]) {
			_, _ = conn.WriteToUDPAddrPort(packet, from)
		}
	}
}

func (s *rawServer) serveTCP(listener net.Listener, answers answersRaw) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		running.Go(func() {
			defer conn.Close()
			for {
				query, err := readFrame(conn)
				if err != nil {
					return
				}
				s.tcp.Add(1)
				for _, msg := range answers(query) {
					if msg == nil {
						return
					}
					_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
				}
			}
		})
	}
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [frameLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(r, msg)
	return msg, err
}

func (s *rawServer) askedSizes() []uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint16(nil), s.sizes...)
}

// addresses answers with n addresses, 16 bytes each; a SOA with itself.
func addresses(n int) func(query []byte) []byte {
	return func(query []byte) []byte {
		q := new(dns.Msg)
		if q.Unpack(query) != nil {
			return nil
		}
		m := new(dns.Msg).SetReply(q)
		m.Authoritative, m.Compress = true, true
		if q.Question[0].Qtype == dns.TypeSOA {
			rr, _ := dns.NewRR(q.Question[0].Name + " 5 IN SOA ns.dns hostmaster 1 2 3 4 5")
			m.Answer = []dns.RR{rr}
		} else {
			for i := range n {
				rr, _ := dns.NewRR(fmt.Sprintf("%s 5 IN A 10.101.%d.%d", q.Question[0].Name, i/256, i%256))
				m.Answer = append(m.Answer, rr)
			}
		}
		b, _ := m.Pack()
		return b
	}
}

// as answers with what change makes of the reply to a query that isn't a probe.
func as(reply func([]byte) []byte, change func([]byte) []byte) answersRaw {
	return func(query []byte) [][]byte {
		b := reply(query)
		if q := new(dns.Msg); q.Unpack(query) == nil && q.Question[0].Qtype != dns.TypeSOA {
			b = change(b)
		}
		if b == nil {
			return nil
		}
		return [][]byte{b}
	}
}

func asIs(b []byte) []byte { return b }

func cutAt(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:min(n, len(b))] } }

func withTC(change func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b = change(b)
		b[2] |= flagTC >> 8
		return b
	}
}

// fitting cuts a reply to what the query's EDNS allows, as a server does: with TC, between
// records.
func fitting(reply func([]byte) []byte) answersRaw {
	return func(query []byte) [][]byte {
		q, m := new(dns.Msg), new(dns.Msg)
		if q.Unpack(query) != nil || m.Unpack(reply(query)) != nil {
			return nil
		}
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		m.Compress = true
		m.Truncate(size)
		b, _ := m.Pack()
		return [][]byte{b}
	}
}

// askRaw asks for askedName.
func askRaw(t *testing.T, c *Client, size uint16, tcp bool) (*dns.Msg, error) {
	t.Helper()
	q := question(askedName)
	q.TCP, q.EDNS.Size, q.Deadline = tcp, size, time.Now().Add(20*time.Second) // a busy machine
	m, _, err := c.Exchange(t.Context(), q)
	return m, err
}
