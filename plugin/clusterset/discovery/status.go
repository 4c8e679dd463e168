package discovery

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Status is the state of a feed's source. What is about members and findings is of documents
// alone. It is a value that nobody changes.
type Status struct {
	// Source is where the values come from: "configmap kube-system/clusterset".
	Source string `json:"source"`
	// Read is whether the source could be read the last time. What was read may be bad.
	Read bool `json:"read"`
	// ResourceVersion and Generation are those of the object that was read last, where it
	// has them.
	ResourceVersion string `json:"resourceVersion,omitempty"`
	Generation      int64  `json:"generation,omitempty"`
	// InForceSince is when the ClusterSet in force was read; zero where there is none.
	InForceSince time.Time `json:"inForceSince,omitzero"`
	// Members is how many that one has.
	Members int `json:"members"`
	// Error is what is wrong with the source, or the documents in it, since ErrorSince; ""
	// where they are those in force.
	Error      string    `json:"error,omitempty"`
	ErrorSince time.Time `json:"errorSince,omitzero"`
	// Findings are about the documents that were read last, with long texts cut; beside
	// them there are MoreFindings.
	Findings     []document.Finding `json:"findings,omitempty"`
	MoreFindings int                `json:"moreFindings,omitempty"`
}

// String returns one line, without the findings.
func (s Status) String() string {
	var parts []string
	if !s.InForceSince.IsZero() {
		parts = append(parts, fmt.Sprintf("%d members, in force since %s", s.Members, s.InForceSince.Format(time.RFC3339)))
	}
	switch {
	case s.Error != "":
		parts = append(parts, fmt.Sprintf("since %s: %s", s.ErrorSince.Format(time.RFC3339), s.Error))
	case !s.Read:
		parts = append(parts, "not read yet")
	case len(parts) == 0:
		parts = append(parts, "read")
	}
	return s.Source + ": " + strings.Join(parts, "; ")
}

// Status returns the state of the feed's source. It waits for nobody.
func (f *Feed[T]) Status() Status { return *f.status.Load() }

// setError sets what is wrong with the source of a feed that has no other status.
func (f *Feed[T]) setError(err error) {
	next := f.Status()
	next.Read = err == nil
	next.setError(err)
	f.status.Store(&next)
}

// setError sets what is wrong now, which may be nothing.
func (s *Status) setError(err error) {
	switch {
	case err == nil:
		s.Error, s.ErrorSince = "", time.Time{}
	case s.Error != quoted.Ends(err.Error(), maxError):
		s.Error, s.ErrorSince = quoted.Ends(err.Error(), maxError), time.Now()
	}
}

// maxFindings is how many findings a status has.
const maxFindings = 20

// setParsed sets what is wrong with the documents that were read.
func (s *Status) setParsed(p *document.Parsed) {
	s.Findings = nil
	for _, f := range p.Findings[:min(maxFindings, len(p.Findings))] {
		s.Findings = append(s.Findings, f.Cut())
	}
	all := p.More + len(p.Findings)
	s.MoreFindings = all - len(s.Findings)
	switch {
	case p.Set != nil:
		s.setError(nil)
	case all == 1:
		s.setError(errors.New(p.Findings[0].String()))
	default:
		s.setError(fmt.Errorf("%s; and %d more", p.Findings[0], all-1))
	}
}
