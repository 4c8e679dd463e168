// Package facts reads from a member's API what its entry in the ClusterSet says: its ranges,
// its DNS service and its domain. What can't be known is assumed, or left out, and said.
package facts

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Facts are what an API says of its cluster.
type Facts struct {
	ServiceCIDRs, PodCIDRs []string
	// DNS is empty where it is the 10th address of each service CIDR, the document's default.
	DNS []string
	// ClusterDomain is empty where it is cluster.local, the default.
	ClusterDomain string
	// PodCIDRsKnown reports whether PodCIDRs are what the cluster was made with, and not
	// assumed.
	PodCIDRsKnown bool
	// Notes are what was assumed or left out, a sentence each.
	Notes []string
}

const system = "kube-system"

// maxListed bounds what is read of Services and nodes: enough to see their ranges.
const maxListed = 500

// Known are facts that the user gave: they aren't asked for.
type Known struct {
	ServiceCIDRs  []string
	PodCIDRs, DNS bool
}

type reader struct {
	kube  kubernetes.Interface
	facts Facts
}

// Read asks a cluster's API.
func Read(ctx context.Context, kube kubernetes.Interface, known Known) (*Facts, error) {
	r := &reader{kube: kube}
	adm := r.kubeadm(ctx)
	r.facts.ClusterDomain = adm.domain()
	if r.facts.ServiceCIDRs = known.ServiceCIDRs; len(known.ServiceCIDRs) == 0 {
		if err := r.serviceCIDRs(ctx); err != nil {
			return nil, err
		}
	}
	if !known.DNS {
		if err := r.dns(ctx); err != nil {
			return nil, err
		}
	}
	if !known.PodCIDRs {
		r.podCIDRs(ctx, adm)
	}
	return &r.facts, nil
}

func (r *reader) note(format string, args ...any) {
	r.facts.Notes = append(r.facts.Notes, fmt.Sprintf(format, args...))
}

// serviceCIDRs are what the ServiceCIDR API says (Kubernetes 1.33 and later); before it, the
// range is guessed from the cluster IPs that there are.
func (r *reader) serviceCIDRs(ctx context.Context) error {
	list, err := r.kube.NetworkingV1().ServiceCIDRs().List(ctx, metav1.ListOptions{Limit: maxListed})
	switch {
	case err == nil:
		for _, first := range []bool{true, false} { // "kubernetes" is what the cluster began with
			for _, item := range list.Items {
				if (item.Name == "kubernetes") == first && item.DeletionTimestamp == nil {
					r.facts.ServiceCIDRs = append(r.facts.ServiceCIDRs, item.Spec.CIDRs...)
				}
			}
		}
		if len(r.facts.ServiceCIDRs) > 0 {
			return nil
		}
	case !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err):
		return fmt.Errorf("ServiceCIDRs: %w", err)
	}
	return r.guessServiceCIDRs(ctx)
}

// guessServiceCIDRs assumes that the ranges begin before the Service kubernetes, which has
// the first address, and hold all cluster IPs.
func (r *reader) guessServiceCIDRs(ctx context.Context) error {
	api, err := r.kube.CoreV1().Services(metav1.NamespaceDefault).Get(ctx, "kubernetes", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the ServiceCIDR API isn't there, and Service default/kubernetes: %w; give --service-cidrs", err)
	}
	services, err := r.kube.CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: maxListed})
	if err != nil {
		return fmt.Errorf("the ServiceCIDR API isn't there, and Services: %w; give --service-cidrs", err)
	}
	addrs := clusterIPs(api)
	for i := range services.Items {
		addrs = append(addrs, clusterIPs(&services.Items[i])...)
	}
	for _, prefix := range cover(addrs) {
		r.facts.ServiceCIDRs = append(r.facts.ServiceCIDRs, prefix.String())
	}
	if len(r.facts.ServiceCIDRs) == 0 {
		return fmt.Errorf("no Service has a cluster IP; give --service-cidrs")
	}
	r.note("service CIDRs %v are assumed, from %d cluster IPs: its API has no ServiceCIDRs; give --service-cidrs if they are others",
		r.facts.ServiceCIDRs, len(addrs))
	return nil
}

func clusterIPs(s *v1.Service) []netip.Addr {
	var addrs []netip.Addr
	for _, text := range s.Spec.ClusterIPs {
		if addr, err := netip.ParseAddr(text); err == nil { // "None" isn't one
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// dnsServices are where clusters have their DNS: kubeadm and most providers, CoreDNS's own
// chart, RKE2, OpenShift.
var dnsServices = []struct{ namespace, name string }{
	{system, "kube-dns"}, {system, "coredns"}, {system, "rke2-coredns-rke2-coredns"}, {"openshift-dns", "dns-default"},
}

// dns is the cluster IPs of the DNS service, where they aren't what the document assumes.
func (r *reader) dns(ctx context.Context) error {
	for _, at := range dnsServices {
		service, err := r.kube.CoreV1().Services(at.namespace).Get(ctx, at.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the Service %s/%s: %w; give --dns", at.namespace, at.name, err)
		}
		if addrs := clusterIPs(service); len(addrs) > 0 {
			r.setDNS(addrs)
			return nil
		}
	}
	r.note("no Service of its DNS was found: it is assumed at the 10th address of its service CIDRs; give --dns if it is elsewhere")
	return nil
}

func (r *reader) setDNS(addrs []netip.Addr) {
	var assumed, have []string
	for _, text := range r.facts.ServiceCIDRs {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			assumed = append(assumed, Tenth(prefix).String())
		}
	}
	for _, addr := range addrs {
		have = append(have, addr.String())
	}
	slices.Sort(assumed)
	if !slices.Equal(slices.Sorted(slices.Values(have)), assumed) {
		r.facts.DNS = have
	}
}

// Tenth is the 10th address of a service CIDR, where Kubernetes' tools put the DNS service.
func Tenth(prefix netip.Prefix) netip.Addr {
	addr := prefix.Masked().Addr()
	for range 10 {
		addr = addr.Next()
	}
	return addr
}
