package status

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// documents are a ClusterSet's as the API has them now.
type documents struct {
	// source is as a server names it.
	source string
	// hash is "" where there are none, or it isn't known which.
	hash string
	// err is why it isn't known.
	err error
}

// readDocuments reads the ConfigMap of the stanza. It returns nil where there is none to
// read: outside Kubernetes, and where the ClusterSet is in a file.
func readDocuments(ctx context.Context, t *replicas.Target) *documents {
	if t.Stanza == nil || t.Stanza.ConfigMap == "" {
		return nil
	}
	d := &documents{source: "configmap " + t.Stanza.Namespace + "/" + t.Stanza.ConfigMap}
	object, err := t.Client.CoreV1().ConfigMaps(t.Stanza.Namespace).Get(ctx, t.Stanza.ConfigMap, metav1.GetOptions{})
	if err != nil {
		if !apierrors.IsNotFound(err) {
			d.err = err
		}
		return d
	}
	if texts := document.Of(object.Data); len(texts) > 0 {
		d.hash = status.Hash(texts)
	}
	return d
}

// addSet adds the ClusterSet of a source, and finds what is wrong with its documents.
func (r *Report) addSet(source string, now *documents) {
	set := Set{Source: source, Members: []Member{}}
	known := now != nil && now.source == source
	if known && now.err != nil {
		known = false
		r.find(status.Degraded, source, "can't be compared with what replicas have in force: %v", now.err)
	}
	if known {
		set.Hash = now.hash
	}
	hashes := map[string][]string{}
	about := map[string]bool{} // what was found already
	r.stanzas(source, func(replica *Replica, s *status.Stanza) {
		d := &s.Document
		hashes[d.Hash] = append(hashes[d.Hash], replica.Name)
		// A ClusterSet that isn't there is no error: nothing was joined yet.
		absent := known && set.Hash == "" && d.Hash == ""
		if d.Error != "" && !absent && !about[d.Error] {
			about[d.Error] = true
			r.find(documentHealth(d), source, "%s", d.Error)
		}
		r.addFindings(source, s, about)
	})
	r.compare(&set, hashes, known)
	r.stanzas(source, func(_ *Replica, s *status.Stanza) { set.inForce(&s.Document) })
	r.addMembers(&set)
	r.Sets = append(r.Sets, set)
}

// inForce counts a replica that has the documents in force.
func (set *Set) inForce(d *status.Document) {
	if d.Hash != set.Hash {
		return
	}
	set.InForce++
	if d.InForceSince.After(set.Since) {
		set.Since = d.InForceSince
	}
}

// documentHealth is degraded while the last good ClusterSet is in force.
func documentHealth(d *status.Document) status.Health {
	if d.InForceSince.IsZero() {
		return status.Failed
	}
	return status.Degraded
}

// addFindings takes the findings of a replica about the documents, those of several once.
func (r *Report) addFindings(source string, s *status.Stanza, about map[string]bool) {
	texts := slices.Clone(s.Overlaps)
	for _, f := range s.Document.Findings {
		// The first one of bad documents is in the error.
		if text := f.String(); !strings.HasPrefix(s.Document.Error, text) {
			texts = append(texts, text)
		}
	}
	if n := s.Document.MoreFindings; n > 0 {
		texts = append(texts, fmt.Sprintf("and %d findings more", n))
	}
	for _, text := range texts {
		if !about[text] {
			about[text] = true
			r.find(status.Degraded, source, "%s", text)
		}
	}
}

// compare finds replicas that have other documents in force than the API has now, or than
// the other replicas.
func (r *Report) compare(set *Set, hashes map[string][]string, known bool) {
	if !known {
		if len(hashes) > 1 {
			r.find(status.Degraded, set.Source, "replicas have different documents in force: %s", groups(hashes))
		}
		if len(hashes) == 1 {
			set.Hash = slices.Collect(maps.Keys(hashes))[0]
		}
		return
	}
	for _, hash := range slices.Sorted(maps.Keys(hashes)) {
		if hash == set.Hash {
			continue
		}
		for _, name := range hashes[hash] {
			r.find(status.Degraded, "replica "+name, "has other documents in force than %s has now (%s, not %s)", set.Source, orNone(hash), orNone(set.Hash))
		}
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// groups is "a (x, y), b (z)".
func groups(by map[string][]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", orNone(key), strings.Join(by[key], ", ")))
	}
	return strings.Join(parts, ", ")
}
