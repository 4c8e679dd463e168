package lookup

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Report is what the verb shows: -o json and yaml have it as it is.
type Report struct {
	Replicas []Replica `json:"replicas"`
	// Differ is set where replicas give different records.
	Differ bool `json:"differ,omitempty"`
}

// Replica is one replica's answer.
type Replica struct {
	Name string `json:"name"`
	// Error is why there is none.
	Error  string         `json:"error,omitempty"`
	Lookup *status.Lookup `json:"lookup,omitempty"`
}

// maxText bounds a text of a server's in a line.
const maxText = 400

// refusals returns the error of a question that a server doesn't take: one of usage.
func refusals(answers []answer) ([]answer, error) {
	for _, a := range answers {
		refused, ok := errors.AsType[*replicas.RefusedError](a.Err)
		if ok && refused.Code == http.StatusBadRequest {
			return nil, cli.Usage("%s", refused.Text)
		}
	}
	return answers, nil
}

func newReport(answers []answer) *Report {
	r := &Report{}
	var first []string
	for _, a := range answers {
		replica := Replica{Name: a.Replica.Name, Lookup: a.Value}
		if a.Err != nil {
			replica.Error = quoted.Ends(a.Err.Error(), maxText)
		}
		r.Replicas = append(r.Replicas, replica)
		if a.Value == nil {
			continue
		}
		records := recordsOf(a.Value)
		if first == nil {
			first = records
		}
		r.Differ = r.Differ || !slices.Equal(first, records)
	}
	return r
}

// recordsOf is what two answers are to have in common: all but order and TTLs.
func recordsOf(l *status.Lookup) []string {
	all := []string{l.Rcode}
	for _, text := range l.Answer {
		if rr, err := dns.NewRR(text); err == nil && rr != nil {
			rr.Header().Ttl = 0
			text = rr.String()
		}
		all = append(all, text)
	}
	slices.Sort(all[1:])
	return all
}

// exitCode is the program's: of the worst answer.
func (r *Report) exitCode() int {
	code := cli.Good
	if r.Differ {
		code = cli.Degraded
	}
	failed := 0
	for _, replica := range r.Replicas {
		if replica.Lookup == nil {
			failed++
			continue
		}
		code = max(code, codeOf(replica.Lookup))
	}
	switch {
	case failed == len(r.Replicas):
		return cli.Failed
	case failed > 0:
		return max(code, cli.Degraded)
	}
	return code
}

func codeOf(l *status.Lookup) int {
	switch {
	case l.Next:
		return cli.Degraded
	case l.Rcode == dns.RcodeToString[dns.RcodeNameError]:
		return cli.Degraded
	case l.Rcode != dns.RcodeToString[dns.RcodeSuccess]:
		return cli.Failed
	case len(l.Answer) == 0 || l.StaleReason != "":
		return cli.Degraded
	default:
		return cli.Good
	}
}

// summary is the answer in a few words.
func summary(l *status.Lookup) string {
	if l.Next {
		return "not answered here: passed on to the next plugin"
	}
	words := []string{l.Rcode}
	if l.Rcode == dns.RcodeToString[dns.RcodeSuccess] && len(l.Answer) == 0 {
		words = []string{"NODATA"}
	}
	if l.Authoritative {
		words = append(words, "authoritative")
	}
	if l.Truncated {
		words = append(words, "truncated")
	}
	if l.StaleReason != "" {
		words = append(words, "stale")
	}
	return strings.Join(words, ", ")
}
