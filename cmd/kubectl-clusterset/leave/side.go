package leave

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// side is what is removed in one cluster.
type side struct {
	*leaver
	cluster *objects.Cluster
	gone    []string // the parts, in words
}

func (l *leaver) side(cluster *objects.Cluster) *side { return &side{leaver: l, cluster: cluster} }

// tell says in one line what was removed. A dry run has said it of each object.
func (s *side) tell() {
	if len(s.gone) > 0 && !s.dryRun.On() {
		s.Progress("%s: %s removed", s.cluster, strings.Join(s.gone, ", "))
	}
}

// remove removes all objects of a part that it can, in their order.
func (s *side) remove(ctx context.Context, part string, all []*unstructured.Unstructured) error {
	var failed []error
	for _, o := range all {
		outcome, err := s.cluster.Remove(ctx, o, s.dryRun)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		s.took(part, objects.Describe(o), outcome)
	}
	return errors.Join(failed...)
}

// took remembers what became of an object of a part. What stays, though it has the name of one
// that join makes, is said in any case.
func (s *side) took(part, what string, outcome objects.Outcome) {
	switch outcome {
	case objects.Absent:
		return
	case objects.Kept:
		s.Progress("%s in %s, which join didn't make: kept", what, s.cluster)
		return
	}
	s.removed++
	if !slices.Contains(s.gone, part) {
		s.gone = append(s.gone, part)
	}
	if s.dryRun.On() {
		fmt.Fprintf(s.Out, "%s in %s: removed%s\n", what, s.cluster, s.dryRun.Note())
	}
}
