package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// Document is the state of a source: of the ClusterSet's documents, or of another file or
// object that is watched. What is about members and findings is of documents alone.
type Document struct {
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
	// Hash is of the documents in force, "" where there are none: servers with equal ones
	// have equal hashes (Hash).
	Hash string `json:"hash,omitempty"`
	// Members is how many the ClusterSet in force has.
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
func (d Document) String() string {
	var parts []string
	if !d.InForceSince.IsZero() {
		parts = append(parts, fmt.Sprintf("%d members, in force since %s", d.Members, d.InForceSince.Format(time.RFC3339)))
	}
	switch {
	case d.Error != "":
		parts = append(parts, fmt.Sprintf("since %s: %s", d.ErrorSince.Format(time.RFC3339), d.Error))
	case !d.Read:
		parts = append(parts, "not read yet")
	case len(parts) == 0:
		parts = append(parts, "read")
	}
	return d.Source + ": " + strings.Join(parts, "; ")
}
