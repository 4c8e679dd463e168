package check

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/facts"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

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
