package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// Outcome is what became of an object.
type Outcome string

// The outcomes, as they are shown.
const (
	Created   Outcome = "created"
	Changed   Outcome = "changed"
	Unchanged Outcome = "unchanged"
	Removed   Outcome = "removed"
	Absent    Outcome = "not there"
	Kept      Outcome = "kept"
)

// Ensure makes the object, or changes the one that is there to have what o has. What else
// that one has is left. One that isn't of kubectl-clusterset is used if it has all of it, and
// an error otherwise; but annotations are added to any. With dryRun the API does everything
// but keep it.
func (c *Cluster) Ensure(ctx context.Context, o *unstructured.Unstructured, dryRun cli.DryRun) (Outcome, error) {
	live, err := c.get(ctx, o)
	if err != nil {
		return "", fmt.Errorf("%s in %s: %w", Describe(o), c, err)
	}
	if live == nil {
		_, err = c.of(o).Create(ctx, o, metav1.CreateOptions{FieldManager: ManagedBy, DryRun: dryRun.Options()})
		return Created, c.failed(o, err)
	}
	if holds(live.Object, o.Object) {
		return Unchanged, nil
	}
	if !isOurs(live) {
		theirs := o.DeepCopy()
		unstructured.RemoveNestedField(theirs.Object, "metadata", "labels")
		if holds(live.Object, theirs.Object) {
			return Unchanged, nil
		}
		unstructured.RemoveNestedField(theirs.Object, "metadata", "annotations")
		if !holds(live.Object, theirs.Object) {
			return "", fmt.Errorf("%s in %s: is there, not made by %s, and not the same: rename or remove it, or make it as deploy/kustomize has it",
				Describe(o), c, ManagedBy)
		}
		o = annotationsOf(o)
	}
	return Changed, c.failed(o, c.patch(ctx, o, dryRun))
}

// annotationsOf returns an object that has no more of o than its annotations.
func annotationsOf(o *unstructured.Unstructured) *unstructured.Unstructured {
	only := &unstructured.Unstructured{Object: map[string]any{}}
	only.SetGroupVersionKind(o.GroupVersionKind())
	only.SetName(o.GetName())
	only.SetNamespace(o.GetNamespace())
	only.SetAnnotations(o.GetAnnotations())
	return only
}

func (c *Cluster) patch(ctx context.Context, o *unstructured.Unstructured, dryRun cli.DryRun) error {
	text, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	_, err = c.of(o).Patch(ctx, o.GetName(), types.MergePatchType, text,
		metav1.PatchOptions{FieldManager: ManagedBy, DryRun: dryRun.Options()})
	return err
}

func (c *Cluster) failed(o *unstructured.Unstructured, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s in %s: %w", Describe(o), c, err)
}

// holds reports whether live has all that want has: what an API adds (defaults, metadata)
// doesn't matter in maps. Lists are equal in length.
func holds(live, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := live.(map[string]any)
		if !ok {
			return len(want) == 0 && live == nil
		}
		for key, value := range want {
			if !holds(have[key], value) {
				return false
			}
		}
		return true
	case []any:
		have, ok := live.([]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for i := range want {
			if !holds(have[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(live, want)
	}
}

// object returns a typed object as one to make, labelled as ours.
func object(typed runtime.Object) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		panic(err) // only for types that aren't an API's
	}
	o := &unstructured.Unstructured{Object: content}
	unstructured.RemoveNestedField(content, "status")
	prune(content)
	label(o)
	return o
}

// prune removes what a typed object writes though nobody has set it: a null and an empty map
// aren't kept by an API, and would differ from what is there for ever.
func prune(content map[string]any) {
	for key, value := range content {
		inner, isMap := value.(map[string]any)
		if isMap {
			prune(inner)
		}
		if value == nil || isMap && len(inner) == 0 {
			delete(content, key)
		}
		if list, isList := value.([]any); isList {
			for _, item := range list {
				if m, ok := item.(map[string]any); ok {
					prune(m)
				}
			}
		}
	}
}

func label(o *unstructured.Unstructured) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[ManagedByLabel] = ManagedBy
	o.SetLabels(labels)
}
