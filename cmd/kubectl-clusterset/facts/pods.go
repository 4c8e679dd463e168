package facts

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// kubeadm is what kubeadm wrote down about a cluster's networks.
type kubeadm struct {
	Networking struct {
		PodSubnet string `json:"podSubnet"`
		DNSDomain string `json:"dnsDomain"`
	} `json:"networking"`
}

const defaultDomain = "cluster.local"

func (k kubeadm) domain() string {
	if k.Networking.DNSDomain == defaultDomain {
		return ""
	}
	return k.Networking.DNSDomain
}

// kubeadm reads its ConfigMap. It is empty where there is none, or it may not be read.
func (r *reader) kubeadm(ctx context.Context) kubeadm {
	var k kubeadm
	m, err := r.kube.CoreV1().ConfigMaps(system).Get(ctx, "kubeadm-config", metav1.GetOptions{})
	if err != nil || yaml.Unmarshal([]byte(m.Data["ClusterConfiguration"]), &k) != nil {
		return kubeadm{}
	}
	return k
}

// podCIDRs are kubeadm's; else what the nodes have, widened: a node that is added has a
// range that isn't there yet, and what is outside podCIDRs isn't taken as the member's.
func (r *reader) podCIDRs(ctx context.Context, adm kubeadm) {
	if subnet := adm.Networking.PodSubnet; subnet != "" {
		r.facts.PodCIDRs, r.facts.PodCIDRsKnown = strings.Split(subnet, ","), true
		return
	}
	nodes, err := r.kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: maxListed})
	if err != nil {
		r.note("pod CIDRs are left out: nodes can't be listed; give --pod-cidrs")
		return
	}
	var addrs []netip.Addr
	for _, node := range nodes.Items {
		for _, text := range node.Spec.PodCIDRs {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				addrs = append(addrs, prefix.Masked().Addr(), last(prefix))
			}
		}
	}
	if len(addrs) == 0 {
		r.note("pod CIDRs are left out: no node says which it has; give --pod-cidrs")
		return
	}
	covers := cover(addrs)
	if slices.ContainsFunc(covers, r.overlapsServices) {
		r.note("pod CIDRs are left out: %v, which has those of all nodes, overlaps the service CIDRs; give --pod-cidrs", covers)
		return
	}
	for _, prefix := range covers {
		r.facts.PodCIDRs = append(r.facts.PodCIDRs, prefix.String())
	}
	r.note("pod CIDRs %v are assumed, from %d nodes; give --pod-cidrs if they are others", r.facts.PodCIDRs, len(nodes.Items))
}

func (r *reader) overlapsServices(p netip.Prefix) bool {
	return slices.ContainsFunc(r.facts.ServiceCIDRs, func(text string) bool {
		other, err := netip.ParsePrefix(text)
		return err == nil && p.Overlaps(other)
	})
}

// How narrow a guessed range may be: ranges are seldom narrower.
const (
	narrowest4 = 16
	narrowest6 = 108
)

// cover returns the smallest prefix of each family that holds all addresses, IPv4 first.
func cover(addrs []netip.Addr) []netip.Prefix {
	var covers []netip.Prefix
	for _, is4 := range []bool{true, false} {
		var prefix netip.Prefix
		for _, addr := range addrs {
			if addr.Is4() != is4 {
				continue
			}
			if !prefix.IsValid() {
				bits := narrowest6
				if is4 {
					bits = narrowest4
				}
				prefix, _ = addr.Prefix(bits) // of addresses without a zone
			}
			for !prefix.Contains(addr) {
				prefix, _ = prefix.Addr().Prefix(prefix.Bits() - 1)
			}
		}
		if prefix.IsValid() {
			covers = append(covers, prefix)
		}
	}
	return covers
}

// last returns a prefix's last address.
func last(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}
