package resolver

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Why a look-up within this server returns nothing.
var (
	errNoServer = errors.New("no server to look up in")
	errLoop     = errors.New("a look-up within the same one")
	errLate     = errors.New("a look-up within this server took too long")
	errLookUps  = errors.New("too many look-ups for one question")
)

// lookUp asks this server itself, through all its plugins, with the client's own EDNS, until
// the question's deadline. The reply is the caller's to change. over is called when nobody is
// asked any more, which may be later.
func (r finisher) lookUp(ctx context.Context, q *question.Question, name string, qtype uint16, over func()) (*dns.Msg, error) {
	left := question.LookUps(ctx, q)
	switch {
	case question.IsUnderWay(ctx, name, qtype):
		over()
		return nil, errLoop
	case !left.Take(1):
		over()
		return nil, errLookUps
	}
	end := question.Deadline(ctx, q, r.Timeout)
	ctx, cancel := context.WithDeadline(question.Within(ctx, name, qtype, left), end)
	defer cancel()
	replies := q.Client.LookUp(ctx, name, qtype, over)
	if replies == nil {
		return nil, errNoServer
	}
	select {
	case reply := <-replies:
		switch {
		case left.Left() < 0:
			return nil, errLookUps
		case !time.Now().Before(end):
			return nil, errLate
		case reply == nil: // dropped, as acl does: it isn't for this client
			return new(dns.Msg).SetRcode(q.Request, dns.RcodeRefused), nil
		}
		return reply, nil
	case <-ctx.Done():
		return nil, errLate
	}
}
