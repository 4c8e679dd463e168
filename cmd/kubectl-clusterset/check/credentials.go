package check

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/bounded"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

const noData = "its names are answered by its DNS alone, and not at all while that is gone"

func join(m string) string { return "kubectl clusterset join " + m + " --from-context CONTEXT" }

// secretsOf are the Secrets that a member's entry names, NAMESPACE/NAME.
func secretsOf(m *document.Cluster) (all []string) {
	if m.Kubeconfig != nil && m.Kubeconfig.Secret != "" {
		all = append(all, m.Kubeconfig.Secret)
	}
	if m.TLS != nil && m.TLS.Secret != "" {
		all = append(all, m.TLS.Secret)
	}
	return all
}

func (l *look) secretsThere(ctx context.Context) []finding {
	l.secrets = make(map[string]*v1.Secret)
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		for _, name := range secretsOf(m) {
			namespace, object, _ := strings.Cut(name, "/")
			secret, err := l.cluster.Kube.CoreV1().Secrets(namespace).Get(ctx, object, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return "Secret " + name + " isn't there", noData, join(m.Name)
			}
			if err != nil {
				return "Secret " + name + ": " + err.Error(), "", ""
			}
			l.secrets[name] = secret
		}
		return "", "", ""
	})
}

func (l *look) mayReadSecrets(ctx context.Context) []finding {
	var all []finding
	for _, m := range l.members() {
		var rights []right
		for _, name := range secretsOf(m) {
			namespace, object, _ := strings.Cut(name, "/")
			rights = append(rights, watching("secrets", namespace, object)...)
		}
		for _, f := range l.lacks(ctx, noData, join(m.Name), rights) {
			f.subject = m.Name
			all = append(all, f)
		}
	}
	return all
}

func (l *look) mayNoMore(ctx context.Context) []finding {
	has, err := l.may(ctx, []right{
		{"list", "", "secrets", "", ""}, {"list", "", "secrets", l.in.Namespace, ""}, {"get", "", "secrets", l.in.Namespace, ""},
		{"update", "", "secrets", l.in.Namespace, ""}, {"update", "", "configmaps", l.in.Namespace, ""}, {"create", "", "pods", l.in.Namespace, ""},
	})
	if err != nil {
		return warn("", "", "can't be asked: %v", err)
	}
	if len(has) == 0 {
		return nil
	}
	var texts []string
	for _, r := range has {
		texts = append(texts, r.String())
	}
	return warn("who takes over CoreDNS has them", kubectl("get rolebindings,clusterrolebindings -A -o wide | grep %s", l.in.ServiceAccount),
		"ServiceAccount %s/%s may %s", l.in.Namespace, l.in.ServiceAccount, strings.Join(slices.Compact(texts), ", "))
}

func (l *look) kubeconfigs(context.Context) []finding {
	l.configs = make(map[string]*rest.Config)
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if m.Kubeconfig == nil || m.Kubeconfig.Secret == "" || l.secrets[m.Kubeconfig.Secret] == nil {
			return "", "", ""
		}
		key := cmp.Or(m.Kubeconfig.Key, objects.SecretKey)
		text, is := l.secrets[m.Kubeconfig.Secret].Data[key]
		if !is {
			return fmt.Sprintf("Secret %s has no key %s", m.Kubeconfig.Secret, key), noData, join(m.Name)
		}
		of := credentials.Credentials{Kubeconfig: text, Context: m.Kubeconfig.Context}
		config, err := of.RESTConfig()
		if err != nil {
			return fmt.Sprintf("Secret %s: %v", m.Kubeconfig.Secret, err), noData, join(m.Name)
		}
		config.Timeout = memberTimeout
		bounded.Wrap(config)
		l.configs[m.Name] = config
		return "", "", ""
	})
}

func (l *look) ends(context.Context) []finding {
	var all []finding
	for _, name := range slices.Sorted(maps.Keys(l.configs)) {
		e := credentials.ExpiryOf(l.configs[name])
		if e.End.IsZero() {
			continue
		}
		f := finding{failure, name, "", noData, "kubectl clusterset renew " + name + " --from-context CONTEXT"}
		switch now := time.Now(); {
		case now.After(e.End):
			f.reason = fmt.Sprintf("its %s ended at %s", e.What, e.End.UTC().Format(time.RFC3339))
		case now.After(e.WarnFrom()):
			f.outcome, f.mend = warning, "kubectl clusterset renew "+name
			f.reason = fmt.Sprintf("its %s ends at %s", e.What, e.End.UTC().Format(time.RFC3339))
		default:
			continue
		}
		all = append(all, f)
	}
	return all
}

// renewal looks at the CronJob that join makes, where there is a token that join made.
func (l *look) renewal(ctx context.Context) []finding {
	ours := slices.ContainsFunc(slices.Collect(maps.Values(l.secrets)), func(s *v1.Secret) bool {
		return s.Labels[objects.ManagedByLabel] == objects.ManagedBy
	})
	if !ours {
		return nil
	}
	const leads = "tokens end, and then members are answered by their DNS alone"
	name := l.stanza.Namespace + "/" + objects.Renewer
	job, err := l.cluster.Kube.BatchV1().CronJobs(l.stanza.Namespace).Get(ctx, objects.Renewer, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return warn(leads, join("NAME"), "CronJob %s isn't there", name)
	case err != nil:
		return warn(leads, "", "CronJob %s: %v", name, err)
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		return warn(leads, kubectl("-n %s patch cronjob %s -p '{\"spec\":{\"suspend\":false}}'", l.stanza.Namespace, objects.Renewer), "CronJob %s is suspended", name)
	}
	jobs, err := l.cluster.Kube.BatchV1().Jobs(l.stanza.Namespace).List(ctx, metav1.ListOptions{Limit: 500})
	if err != nil {
		return warn(leads, "", "Jobs of CronJob %s: %v", name, err)
	}
	if last := newest(jobs.Items, job); last != nil && hasFailed(last) {
		return warn(leads, kubectl("-n %s logs job/%s", l.stanza.Namespace, last.Name), "the last one, Job %s, failed", last.Name)
	}
	return nil
}

// newest returns the CronJob's last Job, nil where there was none.
func newest(jobs []batchv1.Job, of *batchv1.CronJob) (last *batchv1.Job) {
	for i := range jobs {
		if metav1.IsControlledBy(&jobs[i], of) && (last == nil || jobs[i].CreationTimestamp.After(last.CreationTimestamp.Time)) {
			last = &jobs[i]
		}
	}
	return last
}

func hasFailed(job *batchv1.Job) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobFailed && c.Status == v1.ConditionTrue
	})
}

// memberTimeout is for one request to a member's API.
const memberTimeout = 5 * time.Second

// isOurs reports whether a member's credential is the reader's that join made, which renews
// itself.
func (l *look) isOurs(m *document.Cluster) bool {
	s := l.secrets[m.Kubeconfig.Secret]
	return s != nil && objects.IsOfJoin(s)
}
