package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Report is what the verb shows: -o json and yaml have it as it is.
type Report struct {
	// Health is "ok", "degraded" or "failed".
	Health status.Health `json:"health"`
	// Wanted is how many replicas there are to be, Answering how many answered.
	Wanted    int `json:"wanted"`
	Answering int `json:"answering"`
	// Sets are the ClusterSets that the replicas have: one, but where the Corefile has
	// stanzas with different ones.
	Sets     []Set     `json:"clusterSets"`
	Findings []Finding `json:"findings,omitempty"`
	Replicas []Replica `json:"replicas"`

	asked []*replicas.Replica // in the same order
	// absent is set where the API has no documents: nothing is joined yet.
	absent bool
}

// Set is one ClusterSet.
type Set struct {
	// Source is where its documents are, Hash that of those the API has now: "" where it
	// isn't known.
	Source string `json:"source"`
	Hash   string `json:"hash,omitempty"`
	// InForce is how many replicas have these in force.
	InForce int `json:"inForce"`
	// Since is when the youngest of them took them.
	Since   time.Time `json:"since,omitzero"`
	Members []Member  `json:"members"`
}

// Replica is one replica's answer.
type Replica struct {
	Name string `json:"name"`
	Node string `json:"node,omitempty"`
	// Error is why it didn't answer. Else Status is what it answered.
	Error  string          `json:"error,omitempty"`
	Status *status.Process `json:"status,omitempty"`
}

// Finding is something that isn't as it should be.
type Finding struct {
	// Health is what it makes of the whole: "degraded" or "failed".
	Health status.Health `json:"health"`
	// About is the replica, member or document.
	About string `json:"about"`
	Text  string `json:"text"`
}

// exitCode is the program's.
func (r *Report) exitCode() int {
	switch r.Health {
	case status.OK:
		return cli.Good
	case status.Failed:
		return cli.Failed
	default:
		return cli.Degraded
	}
}

// maxText bounds a text of a server's in a line.
const maxText = 300

func (r *Report) find(health status.Health, about, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{health, about, quoted.Ends(fmt.Sprintf(format, args...), maxText)})
}

// newReport makes one of the answers. Documents are what the API has now.
func newReport(t *replicas.Target, now *documents, answers []replicas.Answer[status.Process]) *Report {
	r := &Report{Wanted: len(answers), Sets: []Set{}, asked: t.Replicas}
	if t.Install != nil {
		r.Wanted = t.Install.Replicas
	}
	r.absent = now != nil && now.err == nil && now.hash == ""
	for _, a := range answers {
		r.add(a)
	}
	r.checkReplicas(t)
	for _, source := range r.sources(now) {
		r.addSet(source, now)
	}
	r.Health = status.OK
	for _, f := range r.Findings {
		r.Health = worse(r.Health, f.Health)
	}
	return r
}

// add takes a replica's answer.
func (r *Report) add(a replicas.Answer[status.Process]) {
	replica := Replica{Name: a.Replica.Name, Status: a.Value}
	if a.Replica.Pod != nil {
		replica.Node = a.Replica.Pod.Node
	}
	if a.Err == nil {
		r.Answering++
	} else {
		replica.Error = quoted.Ends(a.Err.Error(), maxText)
		pod := a.Replica.Pod
		if pod != nil && !pod.Ready {
			r.find(status.Degraded, "replica "+replica.Name, "not ready (%s), and gives no status: %s", pod.Reason, replica.Error)
		} else {
			r.find(status.Degraded, "replica "+replica.Name, "gives no status: %s", replica.Error)
		}
	}
	r.Replicas = append(r.Replicas, replica)
}

// checkReplicas finds too few, and what differs between them.
func (r *Report) checkReplicas(t *replicas.Target) {
	if n := len(r.Replicas); t.Install != nil && n < r.Wanted {
		r.find(status.Degraded, "deployment "+t.Install.Name(), "has %d of %d pods", n, r.Wanted)
	}
	if r.Answering == 0 {
		r.find(status.Failed, "replicas", "none gives its status")
		return
	}
	versions := map[string][]string{}
	for _, replica := range r.Replicas {
		if replica.Status == nil {
			continue
		}
		versions[replica.Status.Version] = append(versions[replica.Status.Version], replica.Name)
		if on := r.waitsFor(&replica); on != "" {
			r.find(status.Degraded, "replica "+replica.Name, "isn't ready: it waits for %s", on)
		}
	}
	if len(versions) > 1 {
		r.find(status.Degraded, "replicas", "run different versions: %s", groups(versions))
	}
}

// waitsFor is what keeps a replica from being ready, "" for nothing.
func (r *Report) waitsFor(replica *Replica) string {
	var all []string
	for _, s := range replica.Status.Stanzas {
		// A ClusterSet that isn't there yet is waited for by nobody but the server.
		if absent := r.absent && s.Document.Hash == ""; !s.Ready && !absent {
			all = append(all, s.Waiting...)
		}
	}
	return strings.Join(all, ", ")
}

// stanzas calls f with the first stanza of each replica that has the source.
func (r *Report) stanzas(source string, f func(*Replica, *status.Stanza)) {
	for n := range r.Replicas {
		replica := &r.Replicas[n]
		if replica.Status == nil {
			continue
		}
		at := slices.IndexFunc(replica.Status.Stanzas, func(s status.Stanza) bool { return s.Document.Source == source })
		if at >= 0 {
			f(replica, &replica.Status.Stanzas[at])
		}
	}
}

// sources are those of all replicas' ClusterSets, that of the Corefile first.
func (r *Report) sources(now *documents) (all []string) {
	if now != nil {
		all = append(all, now.source)
	}
	for _, replica := range r.Replicas {
		if replica.Status == nil {
			continue
		}
		for _, s := range replica.Status.Stanzas {
			if !slices.Contains(all, s.Document.Source) {
				all = append(all, s.Document.Source)
			}
		}
	}
	return all
}

// badness orders healths.
var badness = []status.Health{status.OK, status.Unknown, status.Degraded, status.Failed}

func worse(a, b status.Health) status.Health {
	if slices.Index(badness, b) > slices.Index(badness, a) {
		return b
	}
	return a
}
