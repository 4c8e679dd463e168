package clusterset

import (
	"context"
	"net"
	"net/netip"
	"runtime"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"

	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// ServeDNS implements plugin.Handler.
func (p *Clusterset) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if len(r.Question) != 1 {
		return dns.RcodeFormatError, nil
	}
	zone := p.resolver.Zones.Find(r.Question[0].Name)
	switch qtype := r.Question[0].Qtype; {
	case zone == nil:
		return plugin.NextOrFailure(pluginName, p.Next, ctx, w, r)
	case r.Opcode != dns.OpcodeQuery: // a NOTIFY: this server is nobody's secondary
		return dns.RcodeNotImplemented, nil
	case qtype == dns.TypeAXFR, qtype == dns.TypeIXFR, r.Question[0].Qclass != dns.ClassINET:
		return dns.RcodeRefused, nil
	}
	if p.server.Load() == nil {
		p.remember(ctx)
	}
	growStack()
	q := &client{plugin: p, ctx: ctx, state: request.Request{W: w, Req: r}}
	p.resolver.ReadQuestion(&q.question, r, zone, q)
	res := p.resolver.Resolve(ctx, &q.question)
	if res.NotFound && q.fallsThrough() {
		res.Action = question.AskNext
	}
	q.show(res)
	switch res.Action {
	case question.AskNext:
		return plugin.NextOrFailure(pluginName, p.Next, ctx, w, r)
	case question.AskNextUncached:
		return q.askNextUncached()
	case question.ReplyRcode: // CoreDNS writes the reply of these rcodes: plugin.ClientWrite
		return res.Rcode, res.Err
	}
	if err := w.WriteMsg(q.message(res)); err != nil {
		return dns.RcodeServerFailure, err
	}
	return dns.RcodeSuccess, res.Err
}

// client is a question.Client: one query's context and request, its question and its reply.
type client struct {
	plugin   *Clusterset
	ctx      context.Context //nolint:containedctx // lives as long as the query
	state    request.Request
	question question.Question

	// reply is the message to write, one piece of memory with its question.
	reply struct {
		dns.Msg
		question [1]dns.Question
	}
}

// message returns the reply of a Resolution.
func (q *client) message(res *question.Resolution) *dns.Msg {
	r, m := q.state.Req, &q.reply
	m.MsgHdr = dns.MsgHdr{
		Id: r.Id, Response: true, Opcode: r.Opcode, Authoritative: res.Authoritative, Truncated: res.Truncated,
		RecursionDesired: r.RecursionDesired, RecursionAvailable: res.RecursionAvailable, CheckingDisabled: r.CheckingDisabled, Rcode: res.Rcode,
	}
	m.question[0] = r.Question[0]
	m.Question, m.Answer, m.Ns, m.Extra = m.question[:], res.Answer, res.Authority, res.Additional
	if res.Code != question.NoExtendedError {
		q.explain(res)
	}
	return &m.Msg
}

// show reports a Resolution to metrics, metadata, trace, dnstap and the debug log.
func (q *client) show(res *question.Resolution) {
	switch {
	case res.Member != nil:
		count(res, true)
	case res.Question.Zone.Kind == question.ClustersetZone:
		countSet(res)
	}
	if metadata.ValueFuncs(q.ctx) != nil {
		setLabels(q.ctx, res)
	}
	if len(res.Attempts) > 0 {
		q.showAttempts(res.Attempts)
	}
	if clog.D.Value() {
		log.Debug(res.String())
	}
}

// fallsThrough reports whether a name that doesn't exist is left to the next plugin.
//
//go:noinline // inlined, it would enlarge ServeDNS's frame, which is on the stack of every query
func (q *client) fallsThrough() bool { return q.plugin.options.fall.Through(q.state.Name()) }

// Address implements question.Client.
func (q *client) Address() netip.Addr {
	var addr netip.Addr
	switch from := q.state.W.RemoteAddr().(type) {
	case *net.UDPAddr:
		addr = from.AddrPort().Addr()
	case *net.TCPAddr:
		addr = from.AddrPort().Addr()
	}
	return addr.Unmap()
}

// OverStream implements question.Client.
func (q *client) OverStream() bool { return q.state.Proto() == "tcp" }

// stackRoom is what a query takes of its goroutine's stack from ServeDNS on, in bytes: its
// way down to a member's socket, or a reply's parsing. Alone in a server block, it fits on
// 4 KiB with that.
const stackRoom = 2000

// growStack has the stack of a query's goroutine grow now, where it has to. CoreDNS starts
// one for each query, with a small stack that an answer doesn't fit on; growing copies it
// frame by frame, and at this depth there are few. Grown on demand, it took a tenth of a
// query's CPU: test/bench/README.md.
//
// The room is in the frame whether it's used or not. It's declared in a branch that is never
// taken, since Go clears it where it's declared.
//
//go:noinline
func growStack() {
	if clearsRoom {
		var room [stackRoom]byte
		runtime.KeepAlive(&room)
	}
}

// clearsRoom is never set. A constant would leave growStack without a frame.
var clearsRoom bool
