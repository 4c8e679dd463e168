package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// steps tells how an answer was found, a sentence a step, in the order of the man page's.
func steps(res *question.Resolution, l *status.Lookup) []string {
	all := []string{fmt.Sprintf("zone %s, a %s zone", l.Zone, l.Kind)}
	all = append(all, meaning(res.Question))
	if l.Next {
		return append(all, "passed on to the next plugin")
	}
	if m := res.Question.Member; m != nil {
		all = append(all, dataOf(m))
	}
	all = append(all, candidates(l)...)
	all = append(all, found(res, l))
	for i := range l.Attempts {
		all = append(all, attempt(&l.Attempts[i]))
	}
	for _, part := range res.Parts {
		if m := part.Question.Member; m != nil {
			all = append(all, fmt.Sprintf("member %s: %s, %s", m.Name, Rcode(part.Rcode), sources[part.Source]))
		}
	}
	for _, why := range slices.Sorted(maps.Keys(l.Excluded)) {
		all = append(all, fmt.Sprintf("%s left out: %s", Count(l.Excluded[why]), why))
	}
	if l.StaleReason != "" {
		all = append(all, "stale, because "+l.StaleReason)
	}
	if l.Error != "" {
		all = append(all, l.Error)
	}
	return append(all, reply(l))
}

// kinds are what names stand for.
var kinds = map[query.Kind]string{
	query.ZoneApex: "the zone itself", query.ZoneNameServer: "the zone's name server", query.ZoneBranch: "an empty non-terminal",
	query.UnknownCluster: "no member's name", query.ClusterApex: "the member's zone itself", query.Version: "the schema's version",
	query.NameServer: "the member's name server", query.ClusterBranch: "an empty non-terminal", query.Branch: "a namespace",
	query.Service: "a service", query.Endpoint: "an endpoint of a service", query.Protocol: "an empty non-terminal of a service",
	query.Port: "a port of a service", query.Pod: "a pod's address",
}

// meaning is what the name stands for.
func meaning(q *question.Question) string {
	kind := kinds[q.Parsed.Kind]
	switch {
	case q.Members == nil:
		return "there is no ClusterSet yet"
	case q.Zone.Kind == question.ReverseZone && q.Member == nil:
		return "an address of no member, or of several, or no whole address"
	case q.Zone.Kind == question.ReverseZone:
		return fmt.Sprintf("address %s, in the CIDRs of member %s", q.Addr, q.Member.Name)
	case kind == "":
		return "nothing in the grammar of the zone"
	case q.Parsed.Kind == query.Endpoint && q.Zone.Kind == question.ClustersetZone:
		return fmt.Sprintf("%s in member %s, of %s", kind, strings.ToLower(q.Parsed.Cluster), q.Parsed.SetKey())
	case q.Zone.Kind == question.ClustersetZone:
		return kind + " over the whole ClusterSet"
	case q.Member == nil:
		return kind
	case q.Member == q.Members.Local:
		return fmt.Sprintf("%s of member %s, the local cluster", kind, q.Member.Name)
	}
	return kind + " of member " + q.Member.Name
}

// dataOf is how the member's data are.
func dataOf(m *members.Member) string {
	v := m.View()
	switch {
	case v == nil:
		return "member " + m.Name + " has no data here: it has no kubeconfig"
	case v.State == member.Fresh:
		return "member " + m.Name + "'s data are fresh"
	case v.State == member.Unsynced:
		return "member " + m.Name + "'s data aren't synced yet"
	}
	return fmt.Sprintf("member %s's data are stale since %s", m.Name, v.Since.UTC().Format(time.RFC3339))
}

// candidates are the members of a name over the whole ClusterSet.
func candidates(l *status.Lookup) (all []string) {
	if l.Rule != "" {
		all = append(all, "chosen by "+l.Rule)
	}
	for _, c := range l.Candidates {
		name, verdict := "member "+c.Member, "doesn't answer"
		if c.Member == "" {
			name = "the ServiceImport"
		}
		if c.Answers {
			verdict = "answers"
		}
		all = append(all, fmt.Sprintf("%s %s: %s", name, verdict, c.Reason))
	}
	return all
}

// sources are sentences on where an answer came from.
var sources = [question.Sources]string{
	question.Forward: "the member's DNS was asked", question.Local: "looked up in this server's own plugins",
	question.OfZone: "answered by this server itself, as the zone's authority", question.FromCache: "what the member's DNS said before",
	question.Data: "answered from data", question.Stale: "answered from what is stale",
}

func found(res *question.Resolution, l *status.Lookup) string {
	sentence := sources[res.Source]
	if len(res.Parts) > 0 {
		sentence = "members of which no data are here were asked by DNS"
	}
	if l.Cache != "" {
		sentence += ", a cache " + l.Cache
	}
	return sentence
}

func attempt(a *status.Attempt) string {
	outcome := "replied"
	if !a.Replied {
		outcome = "no reply"
	}
	if a.Error != "" {
		outcome += ": " + a.Error
	}
	return fmt.Sprintf("asked %s of member %s by %s: %s after %.1f ms", a.Upstream, a.Member, strings.ToUpper(a.Proto), outcome, a.Seconds*1000)
}

func reply(l *status.Lookup) string {
	sentence := l.Rcode + ", " + Count(len(l.Answer))
	if e := l.ExtendedError; e != nil {
		sentence += fmt.Sprintf(", extended error %d (%s): %s", e.Code, e.Name, e.Text)
	}
	return sentence
}

// Count returns a number of records in words.
func Count(records int) string {
	if records == 1 {
		return "1 record"
	}
	return fmt.Sprint(records, " records")
}
