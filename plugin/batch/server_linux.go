package batch

import (
	"encoding/binary"
	"net"
	"sync/atomic"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
)

// A server is one of CoreDNS's, whose plugins answer what a socket reads.
type server struct {
	dns      *dnsserver.Server
	accept   dns.MsgAcceptFunc
	decorate dns.DecorateWriter // nil: none
	socket   *socket
	local    net.Addr
	metrics  *counts
	inFlight atomic.Int64 // batches, and queries whose batch didn't wait for them
}

// serve answers the packet of a query: what dns.Server does with one.
func (s *server) serve(q *query, packet []byte) {
	if m, ok := s.accepted(q, packet); ok {
		s.dns.ServeDNS(queryContext{q}, q, m)
	}
}

// headerSize is a DNS header's, in bytes.
const headerSize = 12

// accepted returns a query's message, if its plugins are to see it. One that isn't as it has
// to be is refused, or ignored, as dns.Server does it.
func (s *server) accepted(q *query, packet []byte) (*dns.Msg, bool) {
	h := dns.Header{
		Id: binary.BigEndian.Uint16(packet), Bits: binary.BigEndian.Uint16(packet[2:]),
		Qdcount: binary.BigEndian.Uint16(packet[4:]), Ancount: binary.BigEndian.Uint16(packet[6:]),
		Nscount: binary.BigEndian.Uint16(packet[8:]), Arcount: binary.BigEndian.Uint16(packet[10:]),
	}
	m := new(dns.Msg)
	action := s.accept(h)
	switch action {
	case dns.MsgIgnore:
		return nil, false
	case dns.MsgAccept:
		if m.Unpack(packet) == nil {
			s.verify(q, m, packet)
			return m, true
		}
	default:
		_ = m.Unpack(packet[:headerSize]) // the header alone is never wrong
	}
	opcode := m.Opcode
	m.SetRcodeFormatError(m)
	m.Zero = false
	if action == dns.MsgRejectNotImplemented {
		m.Opcode, m.Rcode = opcode, dns.RcodeNotImplemented
	}
	m.Ns, m.Answer, m.Extra = nil, nil, nil
	_ = q.WriteMsg(m) // no one would read of it
	return nil, false
}

// verify checks a query's signature, if it has one. RFC 8945.
func (s *server) verify(q *query, m *dns.Msg, packet []byte) {
	if t := m.IsTsig(); t != nil {
		q.requestMAC, q.tsigStatus = t.MAC, dns.ErrSecret
		if secret, ok := s.dns.TsigSecret[t.Hdr.Name]; ok {
			q.tsigStatus = dns.TsigVerify(packet, secret, "", false)
		}
	}
}

// sign packs a reply, and signs it where its TSIG record t says so.
func (s *server) sign(m *dns.Msg, t *dns.TSIG, requestMAC string, timersOnly bool) (data []byte, mac string, err error) {
	secret, ok := s.dns.TsigSecret[t.Hdr.Name]
	if unsigned := t.Error == dns.RcodeBadKey || t.Error == dns.RcodeBadSig; !ok && !unsigned {
		return nil, "", dns.ErrSecret
	}
	return dns.TsigGenerate(m, secret, requestMAC, timersOnly)
}
