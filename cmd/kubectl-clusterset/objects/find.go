package objects

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// The two forms of an install, as deploy/ has them: a CoreDNS of its own in a namespace of
// its own, or kube-system's.
var installs = []struct{ namespace, selector, account string }{
	{"clusterset", "app.kubernetes.io/name=clusterset", "clusterset"},
	{MemberNamespace, "k8s-app=kube-dns", "coredns"},
}

const defaultConfigMap = "clusterset"

// FindLocal finds the CoreDNS with clusterset in the cluster, and with it where join makes
// objects. configMap is the ClusterSet's NAMESPACE/NAME, "" for what the install form has.
// Where there is no such CoreDNS yet, what kube-system's will have is assumed, and notes say
// so.
func (c *Cluster) FindLocal(ctx context.Context, configMap string) (l Local, notes []string, err error) {
	l = Local{UID: c.UID, Namespace: MemberNamespace, ConfigMap: defaultConfigMap}
	if configMap != "" {
		if l.Namespace, l.ConfigMap, err = SplitConfigMap(configMap); err != nil {
			return l, nil, err
		}
	}
	for _, form := range installs {
		deployment, err := c.deployment(ctx, form.namespace, form.selector)
		if err != nil {
			return l, nil, err
		}
		if deployment == nil || configMap != "" && form.namespace != l.Namespace && form.namespace != MemberNamespace {
			continue
		}
		if configMap == "" {
			l.Namespace = form.namespace
		}
		l.AccountNamespace, l.Account = form.namespace, cmp.Or(deployment.Spec.Template.Spec.ServiceAccountName, "default")
		isIt, err := c.hasPlugin(ctx, deployment)
		if err != nil {
			return l, nil, err
		}
		if isIt {
			l.Image = image(deployment)
			return l, nil, nil
		}
		return l, []string{fmt.Sprintf("%s: the Corefile of Deployment %s/%s has no clusterset yet", c, form.namespace, deployment.Name)}, nil
	}
	l.AccountNamespace, l.Account = MemberNamespace, "coredns"
	return l, []string{fmt.Sprintf("%s: no CoreDNS was found: ServiceAccount %s/%s is assumed", c, l.AccountNamespace, l.Account)}, nil
}

func (c *Cluster) deployment(ctx context.Context, namespace, selector string) (*appsv1.Deployment, error) {
	list, err := c.Kube.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

// hasPlugin reports whether a Corefile that the Deployment mounts has clusterset.
func (c *Cluster) hasPlugin(ctx context.Context, d *appsv1.Deployment) (bool, error) {
	for _, volume := range d.Spec.Template.Spec.Volumes {
		if volume.ConfigMap == nil {
			continue
		}
		m, err := c.Kube.CoreV1().ConfigMaps(d.Namespace).Get(ctx, volume.ConfigMap.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("ConfigMap %s/%s in %s: %w", d.Namespace, volume.ConfigMap.Name, c, err)
		}
		for line := range strings.Lines(m.Data["Corefile"]) {
			if words := strings.Fields(line); len(words) > 0 && words[0] == "clusterset" {
				return true, nil
			}
		}
	}
	return false, nil
}

// image is that of the container coredns, or the first.
func image(d *appsv1.Deployment) string {
	containers := d.Spec.Template.Spec.Containers
	i := max(0, slices.IndexFunc(containers, func(c v1.Container) bool { return c.Name == "coredns" }))
	return containers[i].Image
}

// SplitConfigMap splits the flag --configmap.
func SplitConfigMap(flag string) (namespace, name string, err error) {
	namespace, name, ok := strings.Cut(flag, "/")
	if !ok || namespace == "" || name == "" {
		return "", "", cli.Usage("--configmap %q: must be NAMESPACE/NAME", flag)
	}
	return namespace, name, nil
}
