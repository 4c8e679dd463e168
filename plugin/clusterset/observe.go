package clusterset

import (
	"context"
	"net"
	"time"

	"github.com/coredns/coredns/plugin/dnstap"
	"github.com/coredns/coredns/plugin/dnstap/msg"
	"github.com/coredns/coredns/request"

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
			tapAttempt(t, a, func(m *tap.Message) { t.TapMessageWithMetadata(q.ctx, m, q.state) })
		}
	}
}

// refreshObserver tells dnstap of each attempt of a refresh, which has no client:
// this server is its own, there is no metadata, and no span of a trace.
func (p *Clusterset) refreshObserver() func(exchange.Attempt) {
	if len(p.taps) == 0 {
		return nil
	}
	return func(a exchange.Attempt) {
		for _, t := range p.taps {
			state := request.Request{W: nobody{}, Req: a.Query}
			tapAttempt(t, a, func(m *tap.Message) { t.TapMessageWithMetadata(context.Background(), m, state) })
		}
	}
}

// tapAttempt sends the messages of forward: from this server to the upstream, and
// its reply.
func tapAttempt(t *dnstap.Dnstap, a exchange.Attempt, send func(*tap.Message)) {
	m := tapMessage(a, tap.Message_FORWARDER_QUERY)
	if t.IncludeRawMessage {
		m.QueryMessage = packed(a.Query)
	}
	send(m)
	if a.Reply == nil {
		return
	}
	m = tapMessage(a, tap.Message_FORWARDER_RESPONSE)
	if t.IncludeRawMessage {
		m.ResponseMessage = packed(a.Reply)
	}
	msg.SetResponseTime(m, time.Now())
	send(m)
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
