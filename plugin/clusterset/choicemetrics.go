package clusterset

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// Metrics of names in clusterset zones. Their replies have no label cluster, as one may be of
// several members; choices has each of these.
var (
	setResponses = counter("multicluster_responses_total", "Counter of replies about names in clusterset zones, by where the answer came from.", "source", "rcode")
	choices      = counter("choices_total", "Counter of replies about clusterset-wide names that have a member's addresses, by why it was chosen.", "cluster", "reason")
)

// setSeries are bound by the first reply of their kind.
var setSeries [question.Sources][rcodes + 1]atomic.Pointer[prometheus.Counter]

// countSet updates the series of a Resolution in a clusterset zone: its own, those of the
// members that were chosen, and those of asking members' DNS.
func countSet(res *question.Resolution) {
	if res.Action != question.AskNext {
		rcode := min(res.Rcode, rcodes)
		bound := setSeries[res.Source][rcode].Load()
		if bound == nil {
			bound = bindSet(res.Source, rcode)
		}
		(*bound).Inc()
		res.Chosen.Members(countChoice)
	}
	for _, part := range res.Parts {
		count(part, false)
	}
}

func bindSet(source question.Source, rcode int) *prometheus.Counter {
	c := setResponses.WithLabelValues(source.String(), rcodeWord(rcode))
	setSeries[source][rcode].Store(&c)
	return &c
}

func countChoice(member *members.Member, why selection.Reason) {
	m := member.Metrics.(*memberMetrics) // acquireMetrics made it
	bound := m.choices[why].Load()
	if bound == nil {
		bound = m.bindChoice(why)
	}
	(*bound).Inc()
}

// bindChoice binds the counter of replies that the member was chosen for.
func (m *memberMetrics) bindChoice(why selection.Reason) *prometheus.Counter {
	c := choices.WithLabelValues(m.cluster, choiceWord(why))
	m.choices[why].Store(&c)
	return &c
}

// deleteChoices deletes the member's series.
func (m *memberMetrics) deleteChoices() {
	for why := range m.choices {
		if m.choices[why].Load() != nil {
			choices.DeleteLabelValues(m.cluster, choiceWord(selection.Reason(why)))
		}
	}
}

func choiceWord(why selection.Reason) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(why.String())
}
