package clusterset

import (
	"context"
	"net"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// LookUp implements question.Client. A plugin may have lent its own records: the reply is a
// copy.
func (q *client) LookUp(ctx context.Context, name string, qtype uint16, over func()) <-chan *dns.Msg {
	server, ok := q.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
		over()
		return nil
	}
	ctx = withOwnLabels(ctx, q.question.Member)
	state := request.Request{W: q.state.W, Req: q.state.Req}
	inner := state.NewWithQuestion(name, qtype)
	reply := make(chan *dns.Msg, 1)
	go func() { // a plugin that doesn't look at its context ends by itself
		defer over()
		reply <- serve(ctx, server, q.state.W, inner.Req)
	}()
	return reply
}

// serve has the server answer r, and returns its reply, nil where it has none.
func serve(ctx context.Context, server *dnsserver.Server, w dns.ResponseWriter, r *dns.Msg) *dns.Msg {
	inner := nonwriter.New(w)
	server.ServeDNS(ctx, inner, r)
	if inner.Msg == nil {
		return nil
	}
	return inner.Msg.Copy()
}

// nobody is the client of a question of our own.
type nobody struct{ dns.ResponseWriter }

func (nobody) LocalAddr() net.Addr  { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (nobody) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }
