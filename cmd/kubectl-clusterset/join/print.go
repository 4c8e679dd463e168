package join

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// side is what is made in one cluster, as it is shown.
type side struct {
	Context string           `json:"context"`
	Notes   []string         `json:"notes,omitempty"`
	Objects []map[string]any `json:"objects"`
}

func (j *joiner) side(cluster *objects.Cluster) *side {
	for i := range j.made {
		if j.made[i].Context == cluster.Context {
			return &j.made[i]
		}
	}
	j.made = append(j.made, side{Context: cluster.Context})
	return &j.made[len(j.made)-1]
}

// show adds an object to the data, once; the keys of one ConfigMap together, and never a
// Secret's content.
func (j *joiner) show(cluster *objects.Cluster, o *unstructured.Unstructured) {
	if o.GetKind() == "Secret" {
		return
	}
	s := j.side(cluster)
	for _, shown := range s.Objects {
		same := unstructured.Unstructured{Object: shown}
		if objects.Describe(&same) != objects.Describe(o) {
			continue
		}
		data, _, _ := unstructured.NestedMap(o.Object, "data")
		for key, value := range data {
			_ = unstructured.SetNestedField(shown, value, "data", key) // data is a map
		}
		annotations := same.GetAnnotations()
		for key, value := range o.GetAnnotations() {
			annotations[key] = value
		}
		same.SetAnnotations(annotations)
		return
	}
	s.Objects = append(s.Objects, o.DeepCopy().Object)
}

func (j *joiner) note(cluster *objects.Cluster, text string) {
	s := j.side(cluster)
	if !slices.Contains(s.Notes, text) {
		s.Notes = append(s.Notes, text)
	}
	j.Progress("note: %s", text)
}

// print writes the data.
func (j *joiner) print(locals []*here, members []*member, good bool) error {
	switch {
	case j.output.Format == cli.JSON:
		return j.output.Print(j.Out, j.made)
	case j.output.Format == cli.YAML:
		return j.printYAML()
	case !good || j.dryRun.On():
		return nil
	}
	var names []string
	for _, m := range members {
		names = append(names, m.name)
	}
	what := fmt.Sprintf("%s: joined to %s", strings.Join(names, ", "), locals[0].cluster)
	if len(locals) > 1 {
		what = strings.Join(names, ", ") + ": joined, each to each"
	}
	if j.count[objects.Created]+j.count[objects.Changed] == 0 {
		what += "; nothing had to be changed"
	}
	_, err := fmt.Fprintln(j.Out, what)
	return err
}

// printYAML writes all objects, each cluster's under a comment with its context.
func (j *joiner) printYAML() error {
	for _, s := range j.made {
		for i, o := range s.Objects {
			text, err := yaml.Marshal(o)
			if err != nil {
				return err
			}
			head := "---\n"
			if i == 0 {
				head += "# In context " + s.Context + ":\n"
				for _, note := range s.Notes {
					head += "# " + note + "\n"
				}
			}
			if _, err := fmt.Fprint(j.Out, head, string(text)); err != nil {
				return err
			}
		}
	}
	return nil
}
