package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

func (l *look) configMapName() string { return l.stanza.Namespace + "/" + l.stanza.ConfigMap }

func (l *look) edit() string {
	return kubectl("-n %s edit configmap %s", l.stanza.Namespace, l.stanza.ConfigMap)
}

func (l *look) configMap(ctx context.Context) []finding {
	var err error
	if l.set, err = l.cluster.ReadClusterSet(ctx, l.local()); err != nil {
		return bad(noNames, "", "%v", err)
	}
	if !l.set.Exists() {
		return bad(noNames, "kubectl clusterset join NAME --from-context CONTEXT", "ConfigMap %s isn't there: no cluster has joined yet", l.configMapName())
	}
	return nil
}

func (l *look) document(context.Context) []finding {
	l.parsed = document.Parse(l.set.Documents())
	if err := l.parsed.Err(); err != nil {
		return bad("CoreDNS goes on with the last good one; one that is restarted has none", l.edit(), "%v", err)
	}
	return nil
}

func (l *look) warnings(context.Context) []finding {
	var all []finding
	for _, f := range l.parsed.Findings {
		if f.Severity == document.Warning {
			all = append(all, finding{outcome: warning, reason: f.String(), leads: leadsOf(f), mend: l.edit()})
		}
	}
	return all
}

func leadsOf(f document.Finding) string {
	if strings.Contains(f.Message, "overlap") {
		return "addresses in both have no names, and traffic to one cluster may reach the other"
	}
	return ""
}

func (l *look) localCheck(ctx context.Context) []finding {
	name := l.stanza.Local
	for _, answer := range l.asked {
		if s := l.stanzaOf(answer.Value); s != nil && name == "" {
			name = s.Local // the About API's
		}
	}
	members := l.members()
	if slices.ContainsFunc(members, func(m *document.Cluster) bool { return m.Name == name }) {
		return nil
	}
	own, _ := l.dnsIPs(ctx)
	mend := kubectl("-n %s edit configmap %s    # in clusterset: local NAME", l.in.Corefile.Namespace, l.in.Corefile.ConfigMap)
	leads := "this cluster's own names are asked over the network, and members of other networks aren't answered by their gateways"
	for _, m := range members {
		if slices.ContainsFunc(dnsOf(m), func(addr string) bool { return slices.Contains(own, addr) }) {
			mend = strings.Replace(mend, "NAME", m.Name, 1)
			return warn(leads, mend, "%s; by its DNS address this cluster is %s", whyNotLocal(l.stanza.Local, name), m.Name)
		}
	}
	if name == "" {
		return warn(leads, mend, "%s", whyNotLocal("", ""))
	}
	return warn(leads, "kubectl clusterset join "+name+" --from-context "+l.cluster.Context, "%s", whyNotLocal(l.stanza.Local, name))
}

// whyNotLocal says why no member is this cluster: by the Corefile's `local`, and by what the
// server goes by.
func whyNotLocal(corefile, name string) string {
	switch {
	case corefile != "":
		return "the Corefile has `local " + corefile + "`, which isn't a member"
	case name != "":
		return "by the About API it is " + name + ", which isn't a member"
	}
	return "the Corefile has no `local`, and the About API doesn't say"
}

// right is one that an account is to have, or not to have.
type right struct{ verb, group, resource, namespace, name string }

func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.name != "" {
		text += " " + r.name
	}
	return text
}

func (r right) attributes() *authorizationv1.ResourceAttributes {
	resource, sub, _ := strings.Cut(r.resource, "/")
	return &authorizationv1.ResourceAttributes{Verb: r.verb, Group: r.group, Resource: resource, Subresource: sub, Namespace: r.namespace, Name: r.name}
}

// may returns those of the rights that CoreDNS's account has.
func (l *look) may(ctx context.Context, rights []right) (has []right, err error) {
	namespace, account := l.in.Namespace, l.in.ServiceAccount
	if account == "" {
		account = "default"
	}
	for _, r := range rights {
		review, err := l.cluster.Kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               "system:serviceaccount:" + namespace + ":" + account,
				Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
				ResourceAttributes: r.attributes(),
			},
		}, metav1.CreateOptions{})
		if err != nil {
			return nil, err
		}
		if review.Status.Allowed {
			has = append(has, r)
		}
	}
	return has, nil
}

// missingOf returns the rights that aren't there.
func missingOf(needs, has []right) (missing []string) {
	for _, r := range needs {
		if !slices.Contains(has, r) {
			missing = append(missing, r.String())
		}
	}
	return missing
}

// lacks is a finding where CoreDNS's account hasn't all of the rights.
func (l *look) lacks(ctx context.Context, leads, mend string, rights []right) []finding {
	has, err := l.may(ctx, rights)
	if err != nil {
		return warn("", "", "can't be asked: %v", err)
	}
	missing := missingOf(rights, has)
	if len(missing) == 0 {
		return nil
	}
	return bad(leads, mend, "ServiceAccount %s/%s may not %s", l.in.Namespace, l.in.ServiceAccount, strings.Join(missing, ", "))
}

// watching are the rights to watch one object.
func watching(resource, namespace, name string) (rights []right) {
	for _, verb := range []string{"get", "list", "watch"} {
		rights = append(rights, right{verb, "", resource, namespace, name})
	}
	return rights
}

// rbac is the command that gives CoreDNS its rights.
func (l *look) rbac() string {
	form := "kube-system"
	if l.in.Namespace != metav1.NamespaceSystem {
		form = "stand-alone"
	}
	return kubectl("apply -f deploy/kustomize/%s/rbac.yaml", form)
}

func (l *look) mayReadDocument(ctx context.Context) []finding {
	return l.lacks(ctx, noNames, l.rbac(), watching("configmaps", l.stanza.Namespace, l.stanza.ConfigMap))
}

func (l *look) inForce(context.Context) []finding {
	want := status.Hash(l.set.Documents())
	var all []finding
	for _, answer := range l.asked {
		s := l.stanzaOf(answer.Value)
		if s == nil || s.Document.Hash == want {
			continue
		}
		reason := "it has another one in force"
		if s.Document.Hash == "" {
			reason = "it has none in force"
		}
		if s.Document.Error != "" {
			reason += ": " + s.Document.Error
		}
		all = append(all, finding{failure, answer.Replica.Name, reason, "replicas answer differently",
			fmt.Sprintf("kubectl -n %s logs %s; kubectl -n %[1]s delete pod %[2]s", l.in.Namespace, answer.Replica.Name)})
	}
	return all
}
