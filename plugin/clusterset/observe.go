package clusterset

import (
	"context"
	"net"
	"slices"

	"github.com/coredns/coredns/plugin/dnstap"
	"github.com/coredns/coredns/plugin/dnstap/msg"
	"github.com/coredns/coredns/request"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"

	tap "github.com/dnstap/golang-dnstap"

	ot "github.com/opentracing/opentracing-go"

	otext "github.com/opentracing/opentracing-go/ext"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver"
)

// ShowsAttempts implements question.Client: trace and dnstap do.
func (q *client) ShowsAttempts() (attempts, messages bool) {
	return len(q.plugin.taps) > 0 || ot.SpanFromContext(q.ctx) != nil, q.plugin.tapsMessages()
}

// tapsMessages reports whether a dnstap plugin has messages in it.
func (p *Clusterset) tapsMessages() bool {
	return slices.ContainsFunc(p.taps, func(t *dnstap.Dnstap) bool { return t.IncludeRawMessage })
}

// showAttempts shows the attempts to trace and dnstap.
func (q *client) showAttempts(attempts []question.Attempt) {
	span := ot.SpanFromContext(q.ctx)
	for i := range attempts {
		a := &attempts[i]
		if span != nil {
			child := span.Tracer().StartSpan("connect", ot.ChildOf(span.Context()), ot.StartTime(a.Start))
			otext.PeerAddress.Set(child, a.Upstream.Addr.String())
			if a.Err != nil { // collectors take the tag alone for an error
				otext.Error.Set(child, true)
			}
			child.FinishWithOptions(ot.FinishOptions{FinishTime: a.End})
		}
		for _, t := range q.plugin.taps {
			tapAttempt(t, a, func(m *tap.Message) { t.TapMessageWithMetadata(q.ctx, m, q.state) })
		}
	}
}

// addTap adds the dnstap plugins in front, as forward does.
func (p *Clusterset) addTap(t *dnstap.Dnstap) {
	p.taps = append(p.taps, t)
	if next, ok := t.Next.(*dnstap.Dnstap); ok {
		p.addTap(next)
	}
}

// refreshObserver returns what shows dnstap each attempt of a refresh, which has no client:
// this server is its own, there is no metadata, and no span of a trace.
func (p *Clusterset) refreshObserver() func(exchange.Attempt) {
	if len(p.taps) == 0 {
		return nil
	}
	return func(attempt exchange.Attempt) {
		a := resolver.Recorded(attempt, p.tapsMessages())
		for _, t := range p.taps {
			state := request.Request{W: nobody{}, Req: attempt.Query}
			tapAttempt(t, &a, func(m *tap.Message) { t.TapMessageWithMetadata(context.Background(), m, state) })
		}
	}
}

// tapAttempt sends the messages of forward: from this server to the upstream, and its reply.
func tapAttempt(t *dnstap.Dnstap, a *question.Attempt, send func(*tap.Message)) {
	m := tapMessage(a, tap.Message_FORWARDER_QUERY)
	if t.IncludeRawMessage {
		m.QueryMessage = a.Query
	}
	send(m)
	if !a.Replied {
		return
	}
	m = tapMessage(a, tap.Message_FORWARDER_RESPONSE)
	if t.IncludeRawMessage {
		m.ResponseMessage = a.Reply
	}
	msg.SetResponseTime(m, a.End)
	send(m)
}

func tapMessage(a *question.Attempt, kind tap.Message_Type) *tap.Message {
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
