package check

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/facts"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
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
		has := l.readerHas(ctx, m.Name, needs)
		var missing []string
		for _, r := range needs {
			if !slices.Contains(has, r) {
				missing = append(missing, r.String())
			}
		}
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

// dnsOf are the addresses of a member's DNS, by its entry: without a port and a scheme.
func dnsOf(m *document.Cluster) (addrs []string) {
	for _, text := range m.DNS {
		if addr, err := netip.ParseAddr(text); err == nil {
			addrs = append(addrs, addr.String())
		} else if both, err := netip.ParseAddrPort(text); err == nil {
			addrs = append(addrs, both.Addr().String())
		}
	}
	if len(m.DNS) > 0 {
		return addrs
	}
	for _, text := range m.ServiceCIDRs {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			addrs = append(addrs, facts.Tenth(prefix).String())
		}
	}
	return addrs
}

// dnsAddress compares the member's DNS with what is among its Services, where the entry says
// no more than the default.
func (l *look) dnsAddress(ctx context.Context) []finding {
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if l.reached[m.Name] == nil || len(m.DNS) > 0 {
			return "", "", ""
		}
		have, err := dnsServiceIPs(ctx, l.reached[m.Name])
		want := dnsOf(m)
		if err != nil || len(have) == 0 || slices.ContainsFunc(want, func(addr string) bool { return slices.Contains(have, addr) }) {
			return "", "", ""
		}
		return fmt.Sprintf("the entry has no dns, which is %s then, the 10th address; its DNS service is at %s", strings.Join(want, ", "), strings.Join(have, ", ")),
			"its DNS isn't asked, or something else is", join(m.Name) + " --dns " + strings.Join(have, ",")
	})
}

// dnsServiceIPs are the cluster IPs of a cluster's DNS service.
func dnsServiceIPs(ctx context.Context, client kubernetes.Interface) ([]string, error) {
	services, err := client.CoreV1().Services(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{Limit: 500})
	if err != nil {
		return nil, err
	}
	for _, s := range services.Items {
		if s.Name == "kube-dns" || s.Name == "coredns" || s.Labels["k8s-app"] == "kube-dns" {
			return s.Spec.ClusterIPs, nil
		}
	}
	return nil, nil
}

func (l *look) dnsIPs(ctx context.Context) ([]string, error) {
	return dnsServiceIPs(ctx, l.cluster.Kube)
}

// serviceCIDRs looks whether the member's own cluster IPs are in its CIDRs.
func (l *look) serviceCIDRs(ctx context.Context) []finding {
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		if l.reached[m.Name] == nil || len(m.ServiceCIDRs) == 0 {
			return "", "", ""
		}
		services, err := l.reached[m.Name].CoreV1().Services(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=kubernetes"})
		if err != nil || len(services.Items) != 1 {
			return "", "", ""
		}
		for _, text := range services.Items[0].Spec.ClusterIPs {
			addr, err := netip.ParseAddr(text)
			if err == nil && !within(addr, m.ServiceCIDRs) {
				return fmt.Sprintf("its Service kubernetes has %s, which is in none of %s", addr, strings.Join(m.ServiceCIDRs, ", ")),
					"its addresses are another member's, or nobody's: they are dropped, and have no names", join(m.Name)
			}
		}
		return "", "", ""
	})
}

func within(addr netip.Addr, cidrs []string) bool {
	return slices.ContainsFunc(cidrs, func(text string) bool {
		prefix, err := netip.ParsePrefix(text)
		return err == nil && prefix.Contains(addr)
	})
}

// seen makes a finding for each member of which a replica sees something wrong.
func (l *look) seen(find func(*status.Member) (reason, leads, mend string)) []finding {
	views := l.views()
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		var by []string
		for _, v := range views[m.Name] {
			if text, l, c := find(v.member); text != "" {
				reason, leads, mend = text, l, c
				by = append(by, v.replica)
			}
		}
		if len(by) > 0 && len(by) < len(views[m.Name]) {
			reason = "seen by " + strings.Join(by, ", ") + ": " + reason
		}
		return reason, leads, mend
	})
}

func (l *look) dnsAnswers(context.Context) []finding {
	return l.seen(func(m *status.Member) (reason, leads, mend string) {
		if m.DNS == nil {
			return "", "", ""
		}
		for _, u := range m.DNS.Upstreams {
			if u.State == status.Down {
				return fmt.Sprintf("%s is down since %s: %s", u.Address, u.Since.UTC().Format("15:04:05"), u.Error),
					"what isn't in its data fails", kubectl("run -it --rm --restart=Never dns --image=IMAGE_WITH_DIG -- dig @%s kubernetes.default.svc.%s", host(u.Address), m.ClusterDomain)
			}
		}
		return "", "", ""
	})
}

// host is an upstream's address, as dig takes it.
func host(address string) string {
	if both, err := netip.ParseAddrPort(address); err == nil {
		return both.Addr().String()
	}
	return address
}

func (l *look) dataFresh(context.Context) []finding {
	return l.seen(func(m *status.Member) (reason, leads, mend string) {
		if m.Data == nil || m.Data.State == status.Fresh {
			return "", "", ""
		}
		return fmt.Sprintf("%s since %s: %s", m.Data.State, m.Data.Since.UTC().Format("15:04:05"), m.Data.Error), noData, join(m.Name)
	})
}

func (l *look) gateways(context.Context) []finding {
	return l.seen(func(m *status.Member) (reason, leads, mend string) {
		if m.Gateway == nil || m.Gateway.Alive {
			return "", "", ""
		}
		return fmt.Sprintf("%s is down since %s: %s", m.Gateway.URL, m.Gateway.Since.UTC().Format("15:04:05"), m.Gateway.Error),
			"names over all clusters leave it out", "curl -v " + m.Gateway.URL
	})
}

// names asks a replica for a name that every cluster has.
func (l *look) names(ctx context.Context) []finding {
	zone := ""
	var asked *replicas.Replica
	for _, answer := range l.asked {
		s := l.stanzaOf(answer.Value)
		if s == nil {
			continue
		}
		for _, z := range s.Zones {
			if z.Kind == status.ClusterZone && zone == "" {
				zone, asked = strings.TrimSuffix(z.Name, "."), answer.Replica
			}
		}
	}
	if zone == "" {
		return nil
	}
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		name := "kubernetes.default." + m.Name + "." + zone + "."
		found, err := asked.Lookup(ctx, replicas.Question{Name: name, Type: "A"})
		switch {
		case err != nil:
			reason = err.Error()
		case found.Next || found.Rcode == "NOERROR":
			return "", "", ""
		default:
			reason = strings.TrimSuffix(name+" is "+found.Rcode+": "+found.Error, ": ")
		}
		return reason, "its names aren't answered", "kubectl clusterset lookup " + name
	})
}
