package join

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/facts"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// member is a cluster that joins.
type member struct {
	name string
	// cluster is nil where only its addresses are known (--dns-only without --from-context).
	cluster    *objects.Cluster
	entry      document.Cluster
	podsKnown  bool // that its pod CIDRs are what they are
	notes      []string
	kubeconfig credential.Kubeconfig // without --dns-only
}

// readMember asks the member for what its entry has.
func (o *options) readMember(ctx context.Context, name string, cluster *objects.Cluster) (*member, error) {
	m := &member{name: name, cluster: cluster, podsKnown: len(o.podCIDRs) > 0}
	have := &facts.Facts{}
	if cluster != nil {
		var err error
		known := facts.Known{ServiceCIDRs: o.serviceCIDRs, PodCIDRs: len(o.podCIDRs) > 0, DNS: len(o.dns) > 0}
		if have, err = facts.Read(ctx, cluster.Kube, known); err != nil {
			return nil, fmt.Errorf("%s: %w", cluster, err)
		}
		m.podsKnown = m.podsKnown || have.PodCIDRsKnown
		m.notes = have.Notes
	}
	m.entry = document.Cluster{
		Name: name, ServiceCIDRs: either(o.serviceCIDRs, have.ServiceCIDRs), PodCIDRs: either(o.podCIDRs, have.PodCIDRs),
		DNS: either(o.dns, have.DNS), ClusterDomain: have.ClusterDomain, Network: o.network, Region: o.region, Zone: o.zone,
	}
	if cluster == nil || o.dnsOnly {
		return m, nil
	}
	var err error
	m.kubeconfig, err = o.kubeconfigOf(ctx, name, cluster)
	return m, err
}

func either(given, read []string) []string {
	if len(given) > 0 {
		return given
	}
	return read
}

// kubeconfigOf returns how another cluster reaches the member's API.
func (o *options) kubeconfigOf(ctx context.Context, name string, cluster *objects.Cluster) (credential.Kubeconfig, error) {
	config := rest.CopyConfig(cluster.Config)
	if err := rest.LoadTLSFiles(config); err != nil {
		return credential.Kubeconfig{}, fmt.Errorf("%s: %w", cluster, err)
	}
	k := credential.Kubeconfig{Member: name, Server: cmp.Or(o.server, config.Host), ServerName: config.ServerName, CA: config.CAData}
	if len(k.CA) == 0 { // a public authority, or none that was asked for
		m, err := cluster.Kube.CoreV1().ConfigMaps(objects.MemberNamespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		if err != nil {
			return k, fmt.Errorf("%s: has no certificate-authority-data, and ConfigMap kube-root-ca.crt: %w", cluster, err)
		}
		k.CA = []byte(m.Data["ca.crt"])
	}
	return k, nil
}

// checkServer refuses the API of a member that only this machine reaches.
func (o *options) checkServer(m *member) error {
	u, err := url.Parse(m.kubeconfig.Server)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("server of %s: must be https://HOST[:PORT]; give --server", m.name)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip := net.ParseIP(host)
	isLoopback := host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
	if isLoopback && !o.allowLoopback {
		return fmt.Errorf("server %s of %s: is this machine, and to CoreDNS's pods it would be themselves; "+
			"give its address as the other cluster reaches it, --server https://HOST:PORT (or --allow-loopback, where CoreDNS runs on this machine)",
			m.kubeconfig.Server, m.name)
	}
	return nil
}

// entryFor returns the member's entry for a ClusterSet: what an entry that is there says, and
// neither this command line nor the member's API, stays.
func (o *options) entryFor(m *member, l objects.Local, old *document.Cluster, withKubeconfig bool) (string, error) {
	entry := m.entry
	if old != nil {
		entry = *old
		entry.ServiceCIDRs, entry.ClusterDomain = m.entry.ServiceCIDRs, cmp.Or(m.entry.ClusterDomain, old.ClusterDomain)
		entry.Network = cmp.Or(m.entry.Network, old.Network)
		entry.Region, entry.Zone = cmp.Or(m.entry.Region, old.Region), cmp.Or(m.entry.Zone, old.Zone)
		if m.podsKnown || len(old.PodCIDRs) == 0 {
			entry.PodCIDRs = m.entry.PodCIDRs
		}
		if len(o.dns) > 0 || !slices.ContainsFunc(old.DNS, notAddress) {
			entry.DNS = m.entry.DNS
		}
	}
	switch {
	case withKubeconfig:
		entry.Kubeconfig = &document.Kubeconfig{Secret: l.Namespace + "/" + objects.SecretName(m.name)}
	case o.dnsOnly:
		entry.Kubeconfig = nil
	}
	return objects.Entry(&entry)
}

// notAddress reports whether an upstream is more than an address, as a Service has it: somebody
// wrote it.
func notAddress(upstream string) bool { return net.ParseIP(upstream) == nil }
