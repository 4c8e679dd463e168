package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// accepted asks each member's API with the credential that CoreDNS has. An API that can't be
// reached from here may be from there: then what replicas see counts.
func (l *look) accepted(ctx context.Context) []finding {
	l.reached = make(map[string]*kubernetes.Clientset)
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if l.configs[m.Name] == nil {
			return "", "", ""
		}
		client, err := kubernetes.NewForConfig(l.configs[m.Name])
		if err == nil {
			// Who may do nothing is still told who they are.
			_, err = client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, selfReview(right{"get", "", "namespaces", "", metav1.NamespaceSystem}), metav1.CreateOptions{})
		}
		switch {
		case err == nil:
			l.reached[m.Name] = client
		case apierrors.IsUnauthorized(err):
			return "its API doesn't take the credential: " + err.Error(), noData, "kubectl clusterset renew " + m.Name + " --from-context CONTEXT"
		case l.seenFresh(m.Name):
		default:
			return "its API can't be asked: " + err.Error(), noData, "curl -k " + l.configs[m.Name].Host + "/readyz"
		}
		return "", "", ""
	})
}

// seenFresh reports whether some replica has fresh data of the member.
func (l *look) seenFresh(name string) bool {
	return slices.ContainsFunc(l.views()[name], func(v viewed) bool { return v.member.Data != nil && v.member.Data.State == status.Fresh })
}

func selfReview(r right) *authorizationv1.SelfSubjectAccessReview {
	return &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: r.attributes()}}
}

// readerHas returns those of the rights that a member's credential has there.
func (l *look) readerHas(ctx context.Context, name string, rights []right) (has []right) {
	for _, r := range rights {
		review, err := l.reached[name].AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, selfReview(r), metav1.CreateOptions{})
		if err != nil || review.Status.Allowed { // what can't be asked isn't known to be missing
			has = append(has, r)
		}
	}
	return has
}

var readerNeeds = []right{
	{"list", "", "services", "", ""}, {"watch", "", "services", "", ""},
	{"list", "", "namespaces", "", ""}, {"watch", "", "namespaces", "", ""},
	{"list", "discovery.k8s.io", "endpointslices", "", ""}, {"watch", "discovery.k8s.io", "endpointslices", "", ""},
	{"get", "", "namespaces", "", metav1.NamespaceSystem},
}

func (l *look) mayEnough(ctx context.Context) []finding {
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if l.reached[m.Name] == nil {
			return "", "", ""
		}
		needs := readerNeeds
		if l.isOurs(m) {
			needs = append(slices.Clone(needs), right{"create", "", "serviceaccounts/token", objects.MemberNamespace, objects.Reader})
		}
		missing := missingOf(needs, l.readerHas(ctx, m.Name, needs))
		if len(missing) == 0 {
			return "", "", ""
		}
		return "there it may not " + strings.Join(missing, ", "), noData, join(m.Name)
	})
}

func (l *look) readerNoMore(ctx context.Context) []finding {
	all := l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if l.reached[m.Name] == nil {
			return "", "", ""
		}
		var has []string
		for _, r := range []right{
			{"*", "*", "*", "", ""}, {"list", "", "secrets", "", ""}, {"get", "", "secrets", metav1.NamespaceSystem, ""},
			{"create", "", "pods", metav1.NamespaceSystem, ""}, {"update", "", "services", metav1.NamespaceSystem, ""},
			{"create", "", "serviceaccounts/token", metav1.NamespaceSystem, ""},
		} {
			review, err := l.reached[m.Name].AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, selfReview(r), metav1.CreateOptions{})
			if err == nil && review.Status.Allowed {
				has = append(has, r.String())
			}
		}
		if len(has) == 0 {
			return "", "", ""
		}
		return "there it may " + strings.Join(has, ", "), "who reads the Secret here has that cluster", join(m.Name)
	})
	for i := range all {
		all[i].outcome = warning
	}
	return all
}

func (l *look) sameCluster(ctx context.Context) []finding {
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if l.reached[m.Name] == nil || !l.isOurs(m) {
			return "", "", ""
		}
		was := objects.MemberUID(l.secrets[m.Kubeconfig.Secret])
		system, err := l.reached[m.Name].CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
		if err != nil || string(system.UID) == was {
			return "", "", "" // a right that is missing is CS409's
		}
		return fmt.Sprintf("at %s is another cluster: the uid of its kube-system is %s, and was %s", l.configs[m.Name].Host, system.UID, was),
			"its names are another cluster's", join(m.Name)
	})
}
