//go:build e2e

package join

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// verbs are all that RBAC knows of resources.
var verbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate"}

// TestRights: of all resources and verbs, in all namespaces and in each, and of the objects
// that the rights name and of another, each of the three accounts may do this and nothing else.
func TestRights(t *testing.T) {
	w := start(t, 2)
	w.want(t, cli.Good, joinTwo...)
	w.by["cluster2"].wantRights(t, "clusterset-reader", []string{"clusterset-reader", "kube-system"}, []string{
		"list services", "list services in kube-system", "watch services", "watch services in kube-system",
		"list namespaces", "watch namespaces",
		"list endpointslices", "list endpointslices in kube-system", "watch endpointslices", "watch endpointslices in kube-system",
		"get namespaces kube-system", "get namespaces kube-system in kube-system",
		"create serviceaccounts/token clusterset-reader in kube-system",
	})
	w.by["cluster1"].wantRights(t, "coredns", []string{"cluster2-kubeconfig", "clusterset"}, []string{
		"get secrets cluster2-kubeconfig in kube-system", "list secrets cluster2-kubeconfig in kube-system",
		"watch secrets cluster2-kubeconfig in kube-system",
	})
	w.by["cluster1"].wantRights(t, "clusterset-renew", []string{"cluster2-kubeconfig", "clusterset"}, []string{
		"get secrets cluster2-kubeconfig in kube-system", "update secrets cluster2-kubeconfig in kube-system",
		"get configmaps clusterset in kube-system",
	})
}

// wantRights: the account may do what is listed, with any name and with the named objects.
// Where an object's name isn't part of a right, each name may be had.
func (c *cluster) wantRights(t *testing.T, account string, names, rights []string) {
	t.Helper()
	// What every account may do, by Kubernetes' own roles.
	base := c.rights(t, "nobody", names)
	want := slices.Clone(rights)
	eventually(t, "rights of "+account, func() error {
		have := c.rights(t, account, names)
		maps.DeleteFunc(have, func(right string, _ bool) bool { return base[right] })
		// "list services NAME" follows from "list services".
		maps.DeleteFunc(have, func(right string, _ bool) bool {
			words := strings.Fields(right)
			return len(words) > 2 && words[2] != "in" && have[strings.Join(slices.Delete(words, 2, 3), " ")]
		})
		expect := make(map[string]bool)
		for _, right := range want {
			expect[right] = true
		}
		// Namespaces are of no namespace: that one is asked within one changes nothing.
		maps.DeleteFunc(have, func(right string, _ bool) bool {
			return strings.Contains(right, "namespaces") && strings.HasSuffix(right, " in kube-system") && !expect[right]
		})
		if diff := cmp.Diff(expect, have); diff != "" {
			return &unequal{diff}
		}
		return nil
	})
}

type unequal struct{ diff string }

func (u *unequal) Error() string { return u.diff }

// rights asks the API of each resource and verb.
func (c *cluster) rights(t *testing.T, account string, names []string) map[string]bool {
	t.Helper()
	_, lists, err := discovery.NewDiscoveryClientForConfigOrDie(c.config).ServerGroupsAndResources()
	must(t, err)
	have := make(map[string]bool)
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		must(t, err)
		for _, resource := range list.APIResources {
			for _, verb := range verbs {
				for _, name := range append(names, "") {
					for _, namespace := range []string{"", system} {
						if c.may(t, account, version.Group, resource.Name, verb, namespace, name) {
							have[rightOf(verb, resource.Name, name, namespace)] = true
						}
					}
				}
			}
		}
	}
	return have
}

func rightOf(verb, resource, name, namespace string) string {
	right := verb + " " + resource
	if name != "" {
		right += " " + name
	}
	if namespace != "" {
		right += " in " + namespace
	}
	return right
}

func (c *cluster) may(t *testing.T, account, group, resource, verb, namespace, name string) bool {
	t.Helper()
	resource, sub, _ := strings.Cut(resource, "/")
	review, err := c.kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:   "system:serviceaccount:" + system + ":" + account,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + system, "system:authenticated"},
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Group: group, Resource: resource, Subresource: sub, Verb: verb, Namespace: namespace, Name: name,
			},
		},
	}, metav1.CreateOptions{})
	must(t, err)
	return review.Status.Allowed
}
