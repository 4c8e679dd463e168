package clusterset

import (
	"net"
	"time"

	"github.com/coredns/coredns/plugin/dnstap"
	"github.com/coredns/coredns/plugin/dnstap/msg"

	tap "github.com/dnstap/golang-dnstap"
	"github.com/miekg/dns"
	ot "github.com/opentracing/opentracing-go"
	otext "github.com/opentracing/opentracing-go/ext"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
)

// addTap takes the dnstap plugins in front, as forward does.
func (p *Clusterset) addTap(t *dnstap.Dnstap) {
	p.taps = append(p.taps, t)
	if next, ok := t.Next.(*dnstap.Dnstap); ok {
		p.addTap(next)
	}
}

// observer tells trace and dnstap of each attempt; nil where neither is used.
func (q *ask) observer() func(exchange.Attempt) {
	span := ot.SpanFromContext(q.ctx)
	if span == nil && len(q.p.taps) == 0 {
		return nil
	}
	return func(a exchange.Attempt) {
		if span != nil {
			child := span.Tracer().StartSpan("connect", ot.ChildOf(span.Context()), ot.StartTime(a.Start))
			otext.PeerAddress.Set(child, a.Upstream.Addr.String())
			if a.Err != nil { // collectors take the tag alone for an error
				otext.Error.Set(child, true)
			}
			child.Finish()
		}
		for _, t := range q.p.taps {
			q.tapQuery(t, a)
			if a.Reply != nil {
				q.tapReply(t, a)
			}
		}
	}
}

// tapQuery and tapReply send the messages of forward: from this server, on
// behalf of the client, to the upstream.
func (q *ask) tapQuery(t *dnstap.Dnstap, a exchange.Attempt) {
	m := tapMessage(a, tap.Message_FORWARDER_QUERY)
	if t.IncludeRawMessage {
		m.QueryMessage = packed(a.Query)
	}
	t.TapMessageWithMetadata(q.ctx, m, q.state)
}

func (q *ask) tapReply(t *dnstap.Dnstap, a exchange.Attempt) {
	m := tapMessage(a, tap.Message_FORWARDER_RESPONSE)
	if t.IncludeRawMessage {
		m.ResponseMessage = packed(a.Reply)
	}
	msg.SetResponseTime(m, time.Now())
	t.TapMessageWithMetadata(q.ctx, m, q.state)
}

func tapMessage(a exchange.Attempt, kind tap.Message_Type) *tap.Message {
	m := new(tap.Message)
	msg.SetType(m, kind)
	msg.SetQueryTime(m, a.Start)
	if a.Local != nil {
		_ = msg.SetQueryAddress(m, a.Local) // an address of a socket
	}
	var to net.Addr = net.UDPAddrFromAddrPort(a.Upstream.Addr)
	if a.Proto == "tcp" {
		to = net.TCPAddrFromAddrPort(a.Upstream.Addr)
	}
	_ = msg.SetResponseAddress(m, to)
	return m
}

func packed(m *dns.Msg) []byte {
	b, _ := m.Pack() // it came from the wire, or went to it
	return b
}
