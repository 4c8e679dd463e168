package join

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// join makes one member known in one cluster. The entry is the last thing: CoreDNS finds the
// credential when it reads of the member. What the entry would do to the document is looked
// at first.
func (j *joiner) join(ctx context.Context, h *here, m *member) error {
	isLocal := m.cluster != nil && m.cluster.UID == h.cluster.UID
	defer j.tell(h, m)
	withKubeconfig := m.cluster != nil && !isLocal && !j.dnsOnly
	set, err := h.cluster.ReadClusterSet(ctx, h.local)
	if err != nil {
		return err
	}
	if err := set.CanJoin(m.name); err != nil {
		return fmt.Errorf("ConfigMap %s/%s: %w", h.local.Namespace, h.local.ConfigMap, err)
	}
	text, err := j.entryFor(m, h.local, set.Entry(m.name), withKubeconfig)
	if err != nil {
		return err
	}
	if err := set.With(m.name, text).Err(); err != nil {
		return fmt.Errorf("ConfigMap %s/%s would be bad with it, and nothing is changed:\n%w", h.local.Namespace, h.local.ConfigMap, err)
	}
	if withKubeconfig {
		if err := j.credential(ctx, h, m); err != nil {
			return err
		}
	}
	return j.entry(ctx, h, m, text)
}

// credential makes the reader in the member, and here its kubeconfig, who may read it, and
// what renews it.
func (j *joiner) credential(ctx context.Context, h *here, m *member) error {
	for _, o := range objects.MemberObjectsFor(h.local.Use(m.name)) {
		if err := j.ensure(ctx, "reader", m.cluster, o); err != nil {
			return err
		}
	}
	for _, o := range h.local.Rights(m.name) {
		if err := j.ensure(ctx, "credential", h.cluster, o); err != nil {
			return err
		}
	}
	if err := j.secret(ctx, h, m); err != nil {
		return err
	}
	if h.local.Image == "" {
		j.warn("%s: no CronJob renews the token, as no image with this program is known there: "+
			"install clusterset and join again, or give --image, or run `kubectl clusterset renew %s` in time", h.cluster, m.name)
		return nil
	}
	for _, o := range h.local.Renewal() {
		if err := j.ensure(ctx, "renewal", h.cluster, o); err != nil {
			return err
		}
	}
	return nil
}

// secret makes the Secret with the kubeconfig, with a new token where there is none that
// works. A dry run has none: a token is a credential from when it is made.
func (j *joiner) secret(ctx context.Context, h *here, m *member) error {
	kept, err := j.secretWorks(ctx, h, m)
	if err != nil {
		return err
	}
	name := h.local.Namespace + "/" + objects.SecretName(m.name)
	if err := j.warnOfAnother(ctx, h, m); err != nil {
		return err
	}
	if kept {
		j.took("credential", h.cluster, "Secret "+name, objects.Unchanged)
		return nil
	}
	if j.dryRun.On() {
		j.note(h.cluster, fmt.Sprintf("Secret %s has a credential: `kubectl clusterset join %s`, without --dry-run, makes it", name, m.name))
		return nil
	}
	token, err := credential.Request(ctx, m.cluster.Kube, j.duration)
	if err != nil {
		return fmt.Errorf("%s: %w", m.cluster, err)
	}
	if err := credential.Works(ctx, m.cluster.Config, token.Text); err != nil {
		return fmt.Errorf("%s: the new token doesn't work: %w", m.cluster, err)
	}
	text, err := m.kubeconfig.Write(token.Text)
	if err != nil {
		return err
	}
	if err := j.ensure(ctx, "credential", h.cluster, h.local.Secret(m.name, m.cluster.UID, j.duration, text)); err != nil {
		return err
	}
	if left := time.Until(token.End); left < j.duration-time.Minute {
		j.Progress("note: %s: its API gives tokens for %s, not for %s", m.name, left.Round(time.Minute), j.duration)
	}
	return nil
}

// warnOfAnother says that a name was another cluster's until now: where that wasn't rebuilt, the
// context is mistyped.
func (j *joiner) warnOfAnother(ctx context.Context, h *here, m *member) error {
	before, err := h.cluster.GetSecret(ctx, h.local, m.name)
	if err != nil || before == nil {
		return err
	}
	if uid := objects.MemberUID(before); uid != m.cluster.UID {
		j.warn("%s was another cluster in %s: the uid of its kube-system was %s, and is %s in %s. If it wasn't rebuilt, the context is a wrong one: "+
			"join with the right one, else what join made in the old cluster stays there", m.name, h.cluster, uid, m.cluster.UID, m.cluster)
	}
	return nil
}

// secretWorks reports whether the Secret that is there has what this one would have: a token
// that works, at the same server.
func (j *joiner) secretWorks(ctx context.Context, h *here, m *member) (bool, error) {
	kubeconfig, uid, err := h.cluster.ReadSecret(ctx, h.local, m.name)
	if err != nil || kubeconfig == nil {
		return false, err
	}
	config, err := credential.Parse(kubeconfig)
	if err != nil || uid != m.cluster.UID {
		return false, nil
	}
	want, err := m.kubeconfig.Write(config.BearerToken)
	if err != nil || string(want) != string(kubeconfig) {
		return false, nil
	}
	return credential.Works(ctx, m.cluster.Config, config.BearerToken) == nil, nil
}

// entry writes the member's entry.
func (j *joiner) entry(ctx context.Context, h *here, m *member, text string) error {
	o := h.local.EntryObject(m.name, text)
	what := objects.Describe(o) + ", key " + objects.EntryKey(m.name)
	if j.dryRun == cli.DryRunClient {
		j.show(h.cluster, o)
		j.took("entry", h.cluster, what, objects.Created)
		return nil
	}
	outcome, findings, err := h.cluster.EnsureEntry(ctx, h.local, m.name, text, j.dryRun)
	if err != nil {
		return err
	}
	j.show(h.cluster, o)
	j.took("entry", h.cluster, what, outcome)
	for _, f := range findings {
		if f.Severity == document.Warning {
			j.warn("%s", f)
		}
	}
	return nil
}

// ensure makes an object of a part, and remembers what became of it.
func (j *joiner) ensure(ctx context.Context, part string, cluster *objects.Cluster, o *unstructured.Unstructured) error {
	outcome := objects.Created
	if j.dryRun != cli.DryRunClient {
		var err error
		if outcome, err = cluster.Ensure(ctx, o, j.dryRun); err != nil {
			return err
		}
	}
	j.show(cluster, o)
	j.took(part, cluster, objects.Describe(o), outcome)
	return nil
}
