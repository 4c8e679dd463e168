//go:build e2e

package deploy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

// grant is what a ServiceAccount may do: verbs on a resource, of one name or of all, in
// one namespace or in all.
type grant struct {
	group, resource, name, namespace, verbs string
}

// everybody is what the API lets all who are known to it do: ask about themselves.
var everybody = []grant{
	{"authorization.k8s.io", "selfsubjectaccessreviews", "", "", "create"},
	{"authorization.k8s.io", "selfsubjectrulesreviews", "", "", "create"},
	{"authentication.k8s.io", "selfsubjectreviews", "", "", "create"},
}

// uninstalled are resources that a cluster may have, and the API of the test doesn't.
var uninstalled = []grant{
	{group: "about.k8s.io", resource: "clusterproperties"},
	{group: "multicluster.x-k8s.io", resource: "serviceimports"},
	{group: "multicluster.x-k8s.io", resource: "serviceexports"},
}

// verbs are those that RBAC knows of; most resources have a few of them.
var verbs = strings.Fields("get list watch create update patch delete deletecollection bind escalate impersonate approve sign use proxy")

// wantOnly asks about every verb on every resource and subresource that the API has,
// in the ServiceAccount's namespace, in another one and in all of them, of one name, of
// another and of all: allowed is what is granted, and nothing else.
func (c *cluster) wantOnly(t *testing.T, namespace, account string, granted []grant) {
	t.Helper()
	user := "system:serviceaccount:" + namespace + ":" + account
	for _, g := range granted {
		c.awaitGrant(t, user, g)
	}
	granted = append(slices.Clone(everybody), granted...)
	resources := append(c.everyResource(t), uninstalled...)
	names := []string{"", "another"}
	for _, g := range granted {
		names = append(names, g.name)
	}
	slices.Sort(names)
	names = slices.Compact(names)

	var asked, allowed int
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	ask := func(spec authorizationv1.SubjectAccessReviewSpec, what string, want bool) {
		group.Go(func() error {
			review := &authorizationv1.SubjectAccessReview{Spec: spec}
			review, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			asked++
			if review.Status.Allowed {
				allowed++
			}
			if review.Status.Allowed != want {
				t.Errorf("%s/%s: %s: allowed is %v, want %v: %s", namespace, account, what, !want, want, review.Status.Reason)
			}
			return nil
		})
	}
	who := authorizationv1.SubjectAccessReviewSpec{
		User:   user,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
	for _, r := range resources {
		for _, verb := range verbs {
			for _, in := range []string{namespace, "default", ""} {
				for _, name := range names {
					spec := who
					resource, subresource, _ := strings.Cut(r.resource, "/")
					spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
						Namespace: in, Verb: verb, Group: r.group, Resource: resource, Subresource: subresource, Name: name,
					}
					what := fmt.Sprintf("%s %s.%s %q in %q", verb, r.resource, r.group, name, in)
					ask(spec, what, isGranted(granted, r, verb, in, name))
				}
			}
		}
	}
	for _, path := range []string{"/metrics", "/logs", "/debug/pprof", "/configz", "/*"} {
		spec := who
		spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: path, Verb: "get"}
		ask(spec, "get "+path, false)
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s/%s: %d questions about %d resources, %d allowed", namespace, account, asked, len(resources), allowed)
}

// awaitGrant waits until the user may do what was granted a moment ago.
func (c *cluster) awaitGrant(t *testing.T, user string, g grant) {
	t.Helper()
	resource, subresource, _ := strings.Cut(g.resource, "/")
	for verb := range strings.FieldsSeq(g.verbs) {
		asked := authorizationv1.ResourceAttributes{
			Namespace: g.namespace, Verb: verb, Group: g.group, Resource: resource, Subresource: subresource, Name: g.name,
		}
		eventually(t, user+"'s rights", func() error { return c.review(t, user, asked, true) })
	}
}

func isGranted(granted []grant, asked grant, verb, namespace, name string) bool {
	return slices.ContainsFunc(granted, func(g grant) bool {
		return g.group == asked.group && g.resource == asked.resource && slices.Contains(strings.Fields(g.verbs), verb) &&
			(g.name == "" || g.name == name) && (g.namespace == "" || g.namespace == namespace)
	})
}

// everyResource lists what the API has, subresources such as "pods/exec" among it, each
// once, whatever its versions; and what a rule for all would open.
func (c *cluster) everyResource(t *testing.T) []grant {
	t.Helper()
	lists, err := discovery.ServerPreferredResources(c.client.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := c.client.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	resources := []grant{{group: "*", resource: "*"}, {group: "", resource: "users"}, {group: "", resource: "groups"}}
	for _, list := range append(lists, all...) {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = "" // "v1"
		}
		for _, r := range list.APIResources {
			if g := (grant{group: group, resource: r.Name}); !slices.Contains(resources, g) {
				resources = append(resources, g)
			}
		}
	}
	if want := 100; len(resources) < want {
		t.Fatalf("the API has %d resources; want %d at least", len(resources), want)
	}
	return resources
}

// What the ServiceAccounts that are installed may do. Reading lists of Secrets or
// ConfigMaps, and writing anything but an Event, is none of it.
var (
	grantsHere = []grant{
		{"about.k8s.io", "clusterproperties", "cluster.clusterset.k8s.io", "", "get"},
		{"multicluster.x-k8s.io", "serviceimports", "", "", "list watch"},
		{"multicluster.x-k8s.io", "serviceexports", "", "", "list watch"},
		{"", "services", "", "", "list watch"},
		{"", "namespaces", "", "", "list watch"},
		{"discovery.k8s.io", "endpointslices", "", "", "list watch"},
	}
	grantsOfCoreDNS = []grant{
		{"", "endpoints", "", "", "list watch"},
		{"", "pods", "", "", "list watch"},
	}
	grantsOfMember = []grant{
		{"", "services", "", "", "list watch"},
		{"", "namespaces", "", "", "list watch"},
		{"", "namespaces", "kube-system", "", "get"},
		{"discovery.k8s.io", "endpointslices", "", "", "list watch"},
		{"multicluster.x-k8s.io", "serviceexports", "", "", "list watch"},
		{"", "serviceaccounts/token", "clusterset-reader", "kube-system", "create"},
	}
)

// grantsOfDocument is what it takes to read the ClusterSet in a namespace, and to say
// on it what is wrong.
func grantsOfDocument(namespace string) []grant {
	return []grant{
		{"", "configmaps", "clusterset", namespace, "get list watch"},
		{"", "events", "", namespace, "create"},
	}
}
