package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

const (
	// entryMark begins an entry that join wrote.
	entryMark = "# Made by `kubectl clusterset join`" + leaveNote
	// importMark begins one that import wrote: its kubeconfig is renewed where it came from.
	importMark = "# Made by `kubectl clusterset import`"
	// leaveNote follows it.
	leaveNote = "; `kubectl clusterset leave` removes it.\n"
)

// EntryKey is the key of a member's entry in the ClusterSet's ConfigMap.
func EntryKey(member string) string { return member + document.Suffix }

// Entry returns the text of the entry of a member that joins.
func Entry(member *document.Cluster) (string, error) { return entry(entryMark, member) }

// ImportedEntry returns that of a member of an inventory.
func ImportedEntry(member *document.Cluster) (string, error) {
	return entry(importMark+leaveNote, member)
}

func entry(mark string, member *document.Cluster) (string, error) {
	d := &document.Document{APIVersion: document.APIVersion, Kind: document.Kind, Clusters: []*document.Cluster{member}}
	text, err := d.Write()
	return mark + string(text), err
}

// ClusterSet is the ConfigMap with the ClusterSet's documents, as it was read.
type ClusterSet struct {
	live *v1.ConfigMap // nil where there is none
}

// ReadClusterSet reads the ConfigMap.
func (c *Cluster) ReadClusterSet(ctx context.Context, l Local) (*ClusterSet, error) {
	live, err := c.Kube.CoreV1().ConfigMaps(l.Namespace).Get(ctx, l.ConfigMap, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return &ClusterSet{}, nil
	case err != nil:
		return nil, fmt.Errorf("ConfigMap %s/%s in %s: %w", l.Namespace, l.ConfigMap, c, err)
	}
	return &ClusterSet{live: live}, nil
}

// Exists reports whether there is a ConfigMap.
func (s *ClusterSet) Exists() bool { return s.live != nil }

// Documents returns a copy of the documents, by their keys.
func (s *ClusterSet) Documents() map[string]string {
	if s.live == nil {
		return make(map[string]string)
	}
	return document.Of(s.live.Data)
}

// Members returns the members whose kubeconfig is in the Secret that join makes. Those that
// import made aren't among them: nobody here may renew theirs.
func (s *ClusterSet) Members(l Local) []string {
	var members []string
	documents := s.Documents()
	maps.DeleteFunc(documents, func(_, text string) bool { return strings.HasPrefix(text, importMark) })
	for _, d := range document.Parse(documents).Documents {
		for _, m := range d.Clusters {
			if m != nil && m.Kubeconfig != nil && m.Kubeconfig.Secret == l.Namespace+"/"+SecretName(m.Name) {
				members = append(members, m.Name)
			}
		}
	}
	slices.Sort(members)
	return slices.Compact(members)
}

// With returns what the document would be with a member's entry.
func (s *ClusterSet) With(member, text string) *document.Parsed {
	documents := s.Documents()
	documents[EntryKey(member)] = text
	return document.Parse(documents)
}

// EnsureEntry writes a member's entry under its own key, and touches no other. It isn't
// written where the documents together would be bad with it. Findings are warnings about
// them.
func (c *Cluster) EnsureEntry(ctx context.Context, l Local, member, text string, dryRun cli.DryRun) (outcome Outcome, findings []document.Finding, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		set, err := c.ReadClusterSet(ctx, l)
		if err != nil {
			return err
		}
		parsed := set.With(member, text)
		if err := parsed.Err(); err != nil {
			return fmt.Errorf("ConfigMap %s/%s in %s would be bad with %s, and isn't changed:\n%w", l.Namespace, l.ConfigMap, c, EntryKey(member), err)
		}
		findings = parsed.Findings
		outcome, err = c.writeEntry(ctx, l, set, member, text, dryRun)
		return err
	})
	return outcome, findings, err
}

func (c *Cluster) writeEntry(ctx context.Context, l Local, set *ClusterSet, member, text string, dryRun cli.DryRun) (Outcome, error) {
	o := l.EntryObject(member, text)
	if set.live == nil {
		_, err := c.of(o).Create(ctx, o, metav1.CreateOptions{FieldManager: ManagedBy, DryRun: dryRun.Options()})
		if apierrors.IsAlreadyExists(err) { // made since it was read
			err = apierrors.NewConflict(v1.Resource("configmaps"), l.ConfigMap, err)
		}
		return Created, c.failed(o, err)
	}
	if set.live.Data[EntryKey(member)] == text {
		return Unchanged, nil
	}
	if err := set.CanJoin(member); err != nil {
		return "", fmt.Errorf("ConfigMap %s/%s in %s: %w", l.Namespace, l.ConfigMap, c, err)
	}
	return Changed, c.failed(o, c.setKey(ctx, l, set, member, text, dryRun))
}

// setKey writes one key, where nobody has changed the ConfigMap since it was read; nil
// removes it.
func (c *Cluster) setKey(ctx context.Context, l Local, set *ClusterSet, member string, text any, dryRun cli.DryRun) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": set.live.ResourceVersion},
		"data":     map[string]any{EntryKey(member): text},
	})
	if err != nil {
		return err
	}
	_, err = c.Kube.CoreV1().ConfigMaps(l.Namespace).Patch(ctx, l.ConfigMap, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: ManagedBy, DryRun: dryRun.Options()})
	return err
}

// EntryObject returns the ConfigMap with a member's entry alone.
func (l Local) EntryObject(member, text string) *unstructured.Unstructured {
	return object(&v1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: l.ConfigMap, Namespace: l.Namespace},
		Data:       map[string]string{EntryKey(member): text},
	})
}

// RemoveEntry removes a member's entry, and the ConfigMap where join made it and nothing is
// left in it. One that neither join nor import wrote is an error, and so is leaving documents that are
// bad without it.
func (c *Cluster) RemoveEntry(ctx context.Context, l Local, member string, dryRun cli.DryRun) (outcome Outcome, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		set, err := c.ReadClusterSet(ctx, l)
		if err != nil {
			return err
		}
		outcome, err = c.removeEntry(ctx, l, set, member, dryRun)
		return err
	})
	return outcome, err
}

func (c *Cluster) removeEntry(ctx context.Context, l Local, set *ClusterSet, member string, dryRun cli.DryRun) (Outcome, error) {
	if set.live == nil {
		return Absent, nil
	}
	text, is := set.live.Data[EntryKey(member)]
	if err := set.canLeave(member, text, is); err != nil {
		return "", fmt.Errorf("ConfigMap %s/%s in %s: %w", l.Namespace, l.ConfigMap, c, err)
	}
	if !is {
		return Absent, nil
	}
	if dryRun == cli.DryRunClient {
		return Removed, nil
	}
	if len(set.live.Data) > 1 || len(set.live.BinaryData) > 0 || set.live.Labels[ManagedByLabel] != ManagedBy {
		return Removed, c.setKey(ctx, l, set, member, nil, dryRun)
	}
	version := set.live.ResourceVersion
	return Removed, c.Kube.CoreV1().ConfigMaps(l.Namespace).Delete(ctx, l.ConfigMap,
		metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &set.live.UID, ResourceVersion: &version}, DryRun: dryRun.Options()})
}

// CanJoin returns why join can't write a member's entry: one is there that it didn't make.
func (s *ClusterSet) CanJoin(member string) error {
	text, is := s.Documents()[EntryKey(member)]
	switch {
	case !is || strings.HasPrefix(text, entryMark):
		return nil
	case strings.HasPrefix(text, importMark):
		return fmt.Errorf("key %s was made by import; `kubectl clusterset leave %s` removes it", EntryKey(member), member)
	}
	return fmt.Errorf("key %s wasn't made by join, and isn't changed; remove it first", EntryKey(member))
}

// CanLeave returns why a member can't be taken out.
func (s *ClusterSet) CanLeave(member string) error {
	if s.live == nil {
		return nil
	}
	text, is := s.live.Data[EntryKey(member)]
	return s.canLeave(member, text, is)
}

func (s *ClusterSet) canLeave(member, text string, is bool) error {
	if is && !strings.HasPrefix(text, entryMark) && !strings.HasPrefix(text, importMark) {
		return fmt.Errorf("key %s was made neither by join nor by import: remove it by hand", EntryKey(member))
	}
	before, rest := s.Documents(), s.Documents()
	delete(rest, EntryKey(member))
	parsed := document.Parse(rest)
	for _, key := range slices.Sorted(maps.Keys(parsed.Documents)) {
		for _, m := range parsed.Documents[key].Clusters {
			if m != nil && m.Name == member {
				return fmt.Errorf("%s is in key %s, which join didn't make: remove it by hand", member, key)
			}
		}
	}
	if is && len(rest) > 0 && parsed.Err() != nil && document.Parse(before).Err() == nil {
		return fmt.Errorf("would be bad without %s:\n%w", member, parsed.Err())
	}
	return nil
}

// Entry returns the member as join wrote it, nil where it didn't.
func (s *ClusterSet) Entry(member string) *document.Cluster {
	key := EntryKey(member)
	text, is := s.Documents()[key]
	if !is || !strings.HasPrefix(text, entryMark) {
		return nil
	}
	d := document.Parse(map[string]string{key: text}).Documents[key]
	if d == nil || len(d.Clusters) != 1 {
		return nil
	}
	return d.Clusters[0]
}
