package resolver

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// askAll asks members for the name in their own domains, at the same time. It returns when
// all have replied, or enough reports that one's reply is all that is needed, or gatherTime
// after the first that has it by an answer that isn't stale, or after wait, or at the
// question's end; replies are in the members' order. The others go on, and what they say is
// kept in the cache.
func (r clusterset) askAll(ctx context.Context, q *Question, all []*members.Member, wait time.Duration, enough func(*reply) bool) ([]reply, error) {
	share, err := shareLookUps(ctx, q, len(all))
	if err != nil {
		return nil, err
	}
	end := deadline(ctx, q, r.Timeout)
	replies, results := make([]reply, len(all)), make(chan int, len(all))
	answers := make([]*Resolution, len(all))
	client := newSubClient(q.Client)
	for i, m := range all {
		replies[i].member = m
		sub := r.subQuestion(q, m, client)
		go func() {
			ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
			defer cancel()
			within := &lookUp{q.Name, q.Type, lookUpOf(ctx), &budget{int32(share)}}
			answers[i] = r.Resolve(context.WithValue(ctx, lookUpKey{}, within), sub)
			results <- i
		}()
	}
	waitEnd := time.Now().Add(min(wait, time.Until(end)))
	timer := time.NewTimer(time.Until(waitEnd))
	defer timer.Stop()
	for range all {
		select {
		case i := <-results:
			replies[i].res = answers[i]
			if !replies[i].has() || answers[i].Source == Stale { // which is for when there is no other
				continue
			}
			if enough(&replies[i]) {
				return replies, nil
			}
			timer.Reset(min(time.Until(waitEnd), gatherTime))
		case <-timer.C:
			return replies, nil
		case <-ctx.Done():
			return replies, nil
		}
	}
	return replies, nil
}

// shareLookUps returns the look-ups that each of n members may make for the question. A
// client's own is at least one; that of a server like this one is shared, so that servers
// which ask each other end.
func shareLookUps(ctx context.Context, q *Question, n int) (int, error) {
	b := lookUps(ctx, q)
	share := b.left() / n
	switch {
	case share > 0:
	case lookUpOf(ctx) == nil && !q.Trail.Marked && b.left() > 0:
		share = 1
	default:
		return 0, errLookUps
	}
	return share, nil
}

// subQuestion returns the question for the name in the member's own zone.
func (r clusterset) subQuestion(q *Question, m *members.Member, client Client) *Question {
	zone := r.Zones.memberZone()
	prefix := q.Parsed.Prefix
	if q.Parsed.Kind == query.Endpoint { // without the member's name
		at := strings.Index(prefix, "."+q.Parsed.Cluster+".")
		prefix = prefix[:at+1] + prefix[at+len(q.Parsed.Cluster)+2:]
	}
	request := &dns.Msg{MsgHdr: q.Request.MsgHdr, Question: []dns.Question{{Name: prefix + m.Name + "." + zone.Name, Qtype: q.Type, Qclass: dns.ClassINET}}}
	if o := q.Request.IsEdns0(); o != nil {
		request.SetEdns0(o.UDPSize(), o.Do())
	}
	sub := &Question{
		Name: request.Question[0].Name, Type: q.Type, Zone: zone, Members: q.Members, Member: m,
		Client: client, Request: request, Trail: q.Trail, Received: time.Now(),
	}
	sub.Parsed = query.Parse(sub.Name, len(zone.Name), q.Members.Names)
	return sub
}

// subClient is the client of questions that may outlive the one they are part of.
type subClient struct {
	Client
	address            netip.Addr
	stream             bool
	attempts, messages bool
}

func newSubClient(c Client) *subClient {
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
