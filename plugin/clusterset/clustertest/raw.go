package clustertest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// RawServer is an upstream on one port that answers with bytes.
type RawServer struct {
	Addr netip.AddrPort
	// UDP and TCP count the queries that came, over UDP without the probes.
	UDP, TCP atomic.Int64

	mu    sync.Mutex
	sizes []uint16
}

// RawAnswers returns the replies to a query.
type RawAnswers func(query []byte) [][]byte

// NoTCP has the port refuse TCP, SilentTCP accept it and answer nothing, and ClosesTCP close
// the connection at a query.
var (
	NoTCP     RawAnswers
	SilentTCP RawAnswers = func([]byte) [][]byte { return nil }
	ClosesTCP RawAnswers = func([]byte) [][]byte { return [][]byte{nil} }
)

// ServeRaw starts a server on a free port of 127.0.0.1; the test's end stops it.
func ServeRaw(t testing.TB, udp, tcp RawAnswers) *RawServer {
	t.Helper()
	conn, listener := listen(t, netip.MustParseAddrPort("127.0.0.1:0"))
	packets := conn.(*net.UDPConn)
	s := &RawServer{Addr: packets.LocalAddr().(*net.UDPAddr).AddrPort()}
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

func (s *RawServer) serveUDP(conn *net.UDPConn, answers RawAnswers) {
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if query := new(dns.Msg); query.Unpack(buf[:n]) == nil && query.Question[0].Qtype != dns.TypeSOA {
			s.UDP.Add(1)
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

func (s *RawServer) serveTCP(listener net.Listener, answers RawAnswers) {
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
				query, err := ReadFrame(conn)
				if err != nil {
					return
				}
				s.TCP.Add(1)
				for _, msg := range answers(query) {
					if msg == nil {
						return
					}
					WriteFrame(conn, msg)
				}
			}
		})
	}
}

// ReadFrame reads a message with its length before it: RFC 1035, section 4.2.2.
func ReadFrame(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(r, msg)
	return msg, err
}

// Sizes returns the EDNS sizes that came over UDP, 0 without EDNS.
func (s *RawServer) Sizes() []uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint16(nil), s.sizes...)
}

// WriteFrame writes one; the other end may be gone.
func WriteFrame(w io.Writer, msg []byte) {
	_, _ = w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
}

// Addresses answers with n addresses, 16 bytes each; a SOA with itself.
func Addresses(n int) func(query []byte) []byte {
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

// As answers with what change makes of the reply to a query that isn't a probe.
func As(reply, change func([]byte) []byte) RawAnswers {
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

// AsIs changes nothing.
func AsIs(b []byte) []byte { return b }

// CutAt cuts a reply after n bytes.
func CutAt(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:min(n, len(b))] } }

// WithTC sets TC.
func WithTC(change func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b = change(b)
		b[2] |= 2
		return b
	}
}

// Fitting cuts a reply to what the query's EDNS allows, as a server does: with TC, between
// records.
func Fitting(reply func([]byte) []byte) RawAnswers {
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

// Growing makes a reply of one that would take far more memory than bytes: its record has a
// list of pointers to the question's name.
func Growing(reply []byte) []byte {
	const header, pointers = 12, 30000
	end := header
	for reply[end] != 0 {
		end += 1 + int(reply[end])
	}
	b := append(slices.Clone(reply[:end+5]), 0xc0, header, 0, byte(dns.TypeHIP), 0, 1, 0, 0, 0, 5)
	b[6], b[7], b[8], b[9], b[10], b[11] = 0, 1, 0, 0, 0, 0
	b = binary.BigEndian.AppendUint16(b, 4+2*pointers)
	return append(append(b, 0, 0, 0, 0), bytes.Repeat([]byte{0xc0, header}, pointers)...)
}
