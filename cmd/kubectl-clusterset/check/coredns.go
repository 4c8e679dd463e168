package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

const noNames = "no name of another cluster is answered"

func (l *look) apiCheck(ctx context.Context) []finding {
	var err error
	if l.cluster, err = objects.Connect(ctx, l.c, ""); err != nil {
		return bad("nothing can be checked", kubectl("config get-contexts"), "%v", err)
	}
	return nil
}

// needed are the rights that checking takes.
var needed = []authorizationv1.ResourceAttributes{
	{Verb: "list", Group: "apps", Resource: "deployments"}, {Verb: "list", Resource: "pods"},
	{Verb: "get", Resource: "configmaps"}, {Verb: "get", Resource: "secrets"}, {Verb: "list", Resource: "services"},
	{Verb: "get", Group: "apps", Resource: "daemonsets"}, {Verb: "get", Group: "batch", Resource: "cronjobs"}, {Verb: "list", Group: "batch", Resource: "jobs"},
	{Verb: "create", Resource: "pods", Subresource: "portforward"},
	{Verb: "create", Group: "authorization.k8s.io", Resource: "subjectaccessreviews"},
}

func (l *look) yourRights(ctx context.Context) []finding {
	var missing []string
	for _, asked := range needed {
		if asked.Resource != "subjectaccessreviews" {
			asked.Namespace = metav1.NamespaceSystem
		}
		review, err := l.cluster.Kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx,
			&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &asked}}, metav1.CreateOptions{})
		if err != nil {
			return warn("some of what follows can't be checked", "", "%v", err)
		}
		if !review.Status.Allowed {
			missing = append(missing, asked.Verb+" "+strings.TrimSuffix(asked.Resource+"/"+asked.Subresource, "/"))
		}
	}
	if len(missing) > 0 {
		return warn("some of what follows can't be checked", kubectl("auth can-i --list -n kube-system"), "in kube-system you may not %s", strings.Join(missing, ", "))
	}
	return nil
}

func (l *look) coreDNS(ctx context.Context) []finding {
	var err error
	if l.all, err = install.FindAll(ctx, l.cluster.Kube, l.where); err != nil {
		return bad(noNames, "", "%v", err)
	}
	switch {
	case len(l.all) == 0 && l.before && l.where.Deployment == "":
		return warn("the form for kube-system can't be installed", kubectl("apply -k deploy/kustomize/stand-alone"),
			"neither in kube-system nor in the namespace clusterset is a Deployment of one: a cluster that has another DNS takes the stand-alone form, behind a stub zone")
	case len(l.all) == 0:
		return bad(noNames, kubectl("apply -k deploy/kustomize/stand-alone"), "neither in kube-system nor in the namespace clusterset is a Deployment of one")
	}
	l.in = l.all[0]
	for _, found := range l.all {
		if len(found.Stanzas()) > 0 {
			l.in = found
			break
		}
	}
	return nil
}

// noCoreDNS is for what looks at a CoreDNS, where CS201 said that having none may be right.
var noCoreDNS = []finding{{outcome: skipped, reason: "because of CS201"}}

func (l *look) corefile(context.Context) []finding {
	if l.in == nil {
		return noCoreDNS
	}
	if l.in.Err != nil {
		return bad(noNames+"; a pod that is restarted doesn't start", kubectl("-n %s edit configmap %s", l.in.Corefile.Namespace, l.in.Corefile.ConfigMap), "%v", l.in.Err)
	}
	if len(l.in.Stanzas()) == 0 && len(l.in.Imports) > 0 {
		return warn("whether clusterset is in them isn't known", "", "these files can't be seen from here: %s", strings.Join(l.in.Imports, ", "))
	}
	return nil
}

func (l *look) stanzaCheck(context.Context) []finding {
	for i := range l.in.Blocks {
		if s := l.in.Blocks[i].Stanza; s != nil && s.File == "" {
			l.block, l.stanza = &l.in.Blocks[i], s
			return nil
		}
	}
	if len(l.in.Stanzas()) > 0 {
		return bad("its ClusterSet can't be checked from here", "", "its ClusterSet is in a file, %s", l.in.Stanzas()[0].File)
	}
	return bad(noNames, l.apply(),
		"ConfigMap %s of Deployment %s has none", l.in.Corefile, l.in.Name())
}

// apply is the command that installs clusterset into the CoreDNS that was found.
func (l *look) apply() string {
	if l.in.Namespace != metav1.NamespaceSystem {
		return kubectl("apply -k deploy/kustomize/stand-alone")
	}
	return kubectl("apply --server-side --force-conflicts -k deploy/kustomize/kube-system    # or, if it is a provider's: apply -k deploy/kustomize/stand-alone")
}

func (l *look) pods(context.Context) []finding {
	if l.in == nil {
		return noCoreDNS
	}
	var all []finding
	for _, p := range l.in.Pods {
		if !p.Ready {
			all = append(all, finding{failure, p.Name, cmp.Or(p.Reason, "not ready"), "fewer replicas answer, or none",
				kubectl("-n %s logs %s --previous", p.Namespace, p.Name)})
		}
	}
	if len(l.in.Pods) < l.in.Replicas {
		all = append(all, finding{outcome: warning, reason: fmt.Sprintf("%d of %d are there", len(l.in.Pods), l.in.Replicas),
			leads: "fewer replicas answer, or none", mend: kubectl("-n %s describe deployment %s", l.in.Namespace, l.in.Deployment)})
	}
	return all
}

func (l *look) statusLine(context.Context) []finding {
	if l.stanza.Status == "" {
		return bad("what the replicas see can't be checked", kubectl("-n %s edit configmap %s", l.in.Corefile.Namespace, l.in.Corefile.ConfigMap),
			"clusterset in the Corefile has no line `status`")
	}
	return nil
}

func (l *look) replicaCheck(ctx context.Context) []finding {
	_, text, err := net.SplitHostPort(l.stanza.Status)
	port, portErr := strconv.Atoi(text)
	if err = errors.Join(err, portErr); err != nil {
		return bad("what the replicas see can't be checked", "", "status %q: %v", l.stanza.Status, err)
	}
	l.asked = replicas.All(ctx, replicas.OfPods(l.cluster.Config, l.in.Pods, port), func(ctx context.Context, r *replicas.Replica) (*status.Process, error) {
		return r.Status(ctx)
	})
	if len(l.asked) == 0 {
		return bad(noNames, kubectl("-n %s describe deployment %s", l.in.Namespace, l.in.Deployment), "there is no pod")
	}
	var all []finding
	for _, answer := range l.asked {
		switch {
		case answer.Err != nil:
			all = append(all, l.silent(answer))
		case l.stanzaOf(answer.Value) == nil:
			all = append(all, finding{failure, answer.Replica.Name, "it runs with another Corefile than its ConfigMap has", "replicas answer differently",
				kubectl("-n %s delete pod %s", l.in.Namespace, answer.Replica.Name)})
		}
	}
	// What one replica doesn't say, others may; what none says is the cause of all that follows.
	if len(all) == len(l.asked) {
		all[0].subject = ""
		return all[:1]
	}
	return all
}

// silent is a replica that doesn't answer: mostly one whose image has no clusterset, and
// which stays with its old Corefile.
func (l *look) silent(answer replicas.Answer[status.Process]) finding {
	f := finding{failure, answer.Replica.Name, answer.Err.Error(), noNames + " by it", kubectl("-n %s logs %s", l.in.Namespace, answer.Replica.Name)}
	if p := answer.Replica.Pod; p != nil && p.Image != "" && !strings.Contains(p.Image, "clusterset") {
		f.reason = fmt.Sprintf("nothing listens there, and its image is %s: has it the plugin? (%v)", p.Image, answer.Err)
		f.mend = kubectl("-n %s set image deployment/%s coredns=IMAGE_WITH_CLUSTERSET", l.in.Namespace, l.in.Deployment)
	}
	return f
}

func (l *look) versions(context.Context) []finding {
	by := make(map[string][]string)
	for _, answer := range l.asked {
		if answer.Value != nil {
			by[answer.Value.Version] = append(by[answer.Value.Version], answer.Replica.Name)
		}
	}
	if len(by) < 2 {
		return nil
	}
	var parts []string
	for _, version := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, version+" on "+strings.Join(by[version], ", "))
	}
	return warn("replicas may answer differently", kubectl("-n %s rollout status deployment %s", l.in.Namespace, l.in.Deployment), "%s", strings.Join(parts, "; "))
}
