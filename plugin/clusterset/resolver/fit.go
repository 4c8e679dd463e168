package resolver

import (
	"cmp"
	"slices"
	"sort"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// Sizes in a message, in bytes: RFC 1035, section 4.1, and RFC 6891, section 6.1.2, for the OPT
// record. An address record's owner is a pointer to the question's name.
const (
	headerSize, questionSize, optSize = 12, 4, 11
	recordSize                        = 12
)

// takes reports whether the client takes the records in one message: over UDP as many bytes as
// its EDNS says, and dns.MinMsgSize without.
func takes(q *question.Question, found *query.Records) bool {
	if q.Client.OverStream() {
		return true
	}
	limit := dns.MinMsgSize
	if o := q.Request.IsEdns0(); o != nil {
		limit = max(limit, int(o.UDPSize())) - optSize
	}
	if q.Type == dns.TypeA || q.Type == dns.TypeAAAA {
		rdata := 4
		if q.Type == dns.TypeAAAA {
			rdata = 16
		}
		return headerSize+len(q.Name)+1+questionSize+len(found.Answer)*(recordSize+rdata) <= limit
	}
	m := dns.Msg{Compress: true, Question: q.Request.Question, Answer: found.Answer, Extra: found.Extra}
	return m.Len() <= limit
}

// fitting returns the members of a choice whose records the client takes in one message, and
// these: as many as fit, the first by its draw, so that clients leave out different ones. One
// member is left to be truncated, for the client to ask over TCP.
func fitting(q *question.Question, s *services.Service, choice selection.Choice, records func(members []int) query.Records) (selection.Choice, query.Records) {
	draw, ranked := s.Draw(q.Client.Address(), q.Received), slices.Clone(choice.Members())
	slices.SortFunc(ranked, func(i, j int) int {
		return cmp.Compare(draw.Rank(s.Candidates[j].Name), draw.Rank(s.Candidates[i].Name))
	})
	more := sort.Search(len(ranked)-1, func(i int) bool { // the first that fits no more, besides ranked[0]
		found := records(ranked[:i+2])
		return !takes(q, &found)
	})
	ranked = ranked[:more+1]
	return choice.Only(ranked), records(ranked)
}
