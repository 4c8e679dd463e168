package resolver

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
)

const (
	// gatherTime is how long other members are waited for once one has the service: near ones
	// answer within it, and a slow or dead one keeps no client.
	gatherTime = 100 * time.Millisecond
	// maxAsked is how many members one question asks at the most, each in a goroutine of its
	// own: a name that nobody has costs as many queries. What the others have isn't known then.
	maxAsked = 256
	// maxAsking bounds them over all questions of a server block, to some 50 MB; beyond, the
	// questions that need more are REFUSED.
	maxAsking = 2048
)

// askAll asks members for the name in their own domains, at the same time. It returns when
// all have replied, or the local cluster has it where that is all that is needed, or gatherTime
// after the first that has it (from the start where data have it: isKnown), or at the
// question's end; replies are in the members' order. Stale replies don't count as having it.
// The others go on till the question's end, and what they say is kept in the cache.
func (r clusterset) askAll(ctx context.Context, q *question.Question, all []*members.Member, s *services.Service, isKnown bool) ([]reply, error) {
	share, err := shareLookUps(ctx, q, len(all))
	if err != nil {
		return nil, err
	}
	if n := int32(len(all)); r.asking.Add(n) > maxAsking {
		r.asking.Add(-n)
		return nil, errBusy
	}
	end := question.Deadline(ctx, q, r.Timeout)
	replies, results := make([]reply, len(all)), make(chan replied, len(all))
	client := newSubClient(q.Client)
	for i, m := range all {
		replies[i] = newReply(s, m)
		sub := r.subQuestion(q, m, client)
		go func() {
			defer r.asking.Add(-1)
			ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
			defer cancel()
			results <- replied{i, r.ask(question.Within(ctx, q.Name, q.Type, &question.Budget{N: int32(share)}), sub)}
		}()
	}
	await(ctx, q, s, replies, results, end, isKnown)
	return replies, nil
}

// await waits for replies, as askAll says.
func await(ctx context.Context, q *question.Question, s *services.Service, replies []reply, results <-chan replied, end time.Time, isKnown bool) {
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	soon := func() { timer.Reset(min(time.Until(end), gatherTime)) }
	if isKnown {
		soon()
	}
	for range replies {
		select {
		case one := <-results:
			a := &replies[one.index]
			a.res = one.res
			switch isLive := a.has() && a.res.Source != question.Stale; {
			case isLive && a.member == q.Members.Local && s.IsLocalFirst():
				return
			case isLive && !isKnown:
				isKnown = true
				soon()
			}
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// replied is what the member of an index said.
type replied struct {
	index int
	res   *question.Resolution
}

// ask answers a question for the name in a member's zone. Where that is the next plugin's, as
// where the local cluster's domain is a zone here, this server is asked.
func (r clusterset) ask(ctx context.Context, sub *question.Question) *question.Resolution {
	res := r.Resolve(ctx, sub)
	if res.Action == question.AskNext {
		return r.local(ctx, sub, sub.MemberName())
	}
	return res
}

// shareLookUps returns the look-ups that each of n members may make for the question. A
// client's own is at least one; that of a server like this one is shared, so that servers
// which ask each other end.
func shareLookUps(ctx context.Context, q *question.Question, n int) (int, error) {
	b := question.LookUps(ctx, q)
	share := b.Left() / n
	switch {
	case share > 0:
	case !question.IsWithin(ctx) && !q.Trail.Marked && b.Left() > 0:
		share = 1
	default:
		return 0, errLookUps
	}
	return share, nil
}

// subQuestion returns the question for the name in the member's own zone.
func (r clusterset) subQuestion(q *question.Question, m *members.Member, client question.Client) *question.Question {
	zone := r.Zones.MemberZone()
	prefix := q.Parsed.Prefix
	if q.Parsed.Kind == query.Endpoint { // without the member's name
		at := strings.Index(prefix, "."+q.Parsed.Cluster+".")
		prefix = prefix[:at+1] + prefix[at+len(q.Parsed.Cluster)+2:]
	}
	request := &dns.Msg{MsgHdr: q.Request.MsgHdr, Question: []dns.Question{{Name: prefix + m.Name + "." + zone.Name, Qtype: q.Type, Qclass: dns.ClassINET}}}
	if o := q.Request.IsEdns0(); o != nil {
		request.SetEdns0(o.UDPSize(), o.Do())
	}
	sub := &question.Question{
		Name: request.Question[0].Name, Type: q.Type, Zone: zone, Members: q.Members, Member: m,
		Client: client, Request: request, Trail: q.Trail, Received: time.Now(),
	}
	sub.Parsed = query.Parse(sub.Name, len(zone.Name), q.Members.Names)
	return sub
}

// subClient is the client of questions that may outlive the one they are part of.
type subClient struct {
	question.Client
	address            netip.Addr
	stream             bool
	attempts, messages bool
}

func newSubClient(c question.Client) *subClient {
	s := &subClient{Client: c, address: c.Address(), stream: c.OverStream()}
	s.attempts, s.messages = c.ShowsAttempts()
	return s
}

// Address implements Client.
func (s *subClient) Address() netip.Addr { return s.address }

// OverStream implements Client.
func (s *subClient) OverStream() bool { return s.stream }

// ShowsAttempts implements Client.
func (s *subClient) ShowsAttempts() (attempts, messages bool) { return s.attempts, s.messages }
