package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// Remove removes the object if it is ours.
func (c *Cluster) Remove(ctx context.Context, o *unstructured.Unstructured, dryRun cli.DryRun) (Outcome, error) {
	live, err := c.get(ctx, o)
	if err != nil {
		return "", c.failed(o, err)
	}
	if live == nil {
		return Absent, nil
	}
	if !isOurs(live) {
		return Kept, nil
	}
	if dryRun == cli.DryRunClient {
		return Removed, nil
	}
	uid := live.GetUID()
	background := metav1.DeletePropagationBackground // a CronJob's Jobs go with it
	err = c.of(o).Delete(ctx, o.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background, DryRun: dryRun.Options(),
	})
	if apierrors.IsNotFound(err) {
		return Absent, nil
	}
	return Removed, c.failed(o, err)
}

// LeaveReader takes the annotation of a cluster off the member's reader, and returns who
// else uses it: the values of the other annotations.
func (c *Cluster) LeaveReader(ctx context.Context, by Use, dryRun cli.DryRun) (Outcome, []string, error) {
	account := MemberObjects()[0]
	live, err := c.get(ctx, account)
	if err != nil {
		return "", nil, c.failed(account, err)
	}
	if live == nil {
		return Absent, nil, nil
	}
	var others []string
	for key, value := range live.GetAnnotations() {
		if strings.HasPrefix(key, usedBy) && key != by.annotation() {
			others = append(others, fmt.Sprintf("%s (%s)", value, strings.TrimPrefix(key, usedBy)))
		}
	}
	if _, uses := live.GetAnnotations()[by.annotation()]; !uses {
		return Absent, others, nil
	}
	if dryRun == cli.DryRunClient {
		return Changed, others, nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": live.GetResourceVersion(), "annotations": map[string]any{by.annotation(): nil},
	}})
	if err != nil {
		return "", nil, err
	}
	_, err = c.of(account).Patch(ctx, account.GetName(), types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: ManagedBy, DryRun: dryRun.Options()})
	return Changed, others, c.failed(account, err)
}

// OtherSecrets reports whether there are Secrets of other members that join made.
func (c *Cluster) OtherSecrets(ctx context.Context, l Local, member string) (bool, error) {
	// One of two is another.
	list, err := c.Kube.CoreV1().Secrets(l.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: ManagedByLabel + "=" + ManagedBy + "," + memberLabel, Limit: 2,
	})
	if err != nil {
		return false, fmt.Errorf("the Secrets in %s: %w", c, err)
	}
	for _, s := range list.Items {
		if s.Name != SecretName(member) {
			return true, nil
		}
	}
	return false, nil
}

// Undo are the commands that undo by hand what join made in a member.
func Undo(by Use) []string {
	const ours = " -l " + ManagedByLabel + "=" + ManagedBy
	return []string{
		"kubectl -n " + MemberNamespace + " annotate serviceaccount " + Reader + " " + by.annotation() + "-",
		"# and, where no annotation " + usedBy + "... is left of it:",
		"kubectl delete clusterrolebindings,clusterroles" + ours,
		"kubectl -n " + MemberNamespace + " delete rolebindings,roles,serviceaccounts" + ours + " --field-selector metadata.name=" + Reader,
	}
}
