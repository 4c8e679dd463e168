package check

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
)

// loops looks whether a server block forwards to this very CoreDNS.
func (l *look) loops(ctx context.Context) []finding {
	own, err := l.dnsIPs(ctx)
	if err != nil {
		return warn("", "", "%v", err)
	}
	if l.in.Namespace != metav1.NamespaceSystem {
		own = nil // that one isn't the cluster's DNS
	}
	for _, p := range l.in.Pods {
		own = append(own, p.IP)
	}
	for i := range l.in.Blocks {
		for _, words := range l.in.Blocks[i].Words("forward") {
			if len(words) < 3 || words[0] != "forward" {
				continue
			}
			for _, target := range words[2:] {
				if isOwn(target, own) {
					return bad("queries go round till they fail, and CoreDNS may end", kubectl("-n %s edit configmap %s", l.in.Corefile.Namespace, l.in.Corefile.ConfigMap),
						"the block of %s forwards to %s, which is itself", strings.Join(l.in.Blocks[i].Keys, " "), target)
				}
			}
		}
	}
	return nil
}

func isOwn(target string, own []string) bool {
	if _, rest, found := strings.Cut(target, "://"); found {
		target = rest
	}
	addr, err := netip.ParseAddr(target)
	if err != nil {
		both, err := netip.ParseAddrPort(target)
		if err != nil || both.Port() != 53 {
			return false // a file, or another server on that address
		}
		addr = both.Addr()
	}
	return addr.IsLoopback() || slices.Contains(own, addr.String())
}

const nodeLocalName = "node-local-dns"

// nodeLocal looks whether NodeLocal DNSCache knows of our zones.
func (l *look) nodeLocal(ctx context.Context) []finding {
	_, err := l.cluster.Kube.AppsV1().DaemonSets(metav1.NamespaceSystem).Get(ctx, nodeLocalName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return warn("", "", "DaemonSet kube-system/%s: %v", nodeLocalName, err)
	}
	m, err := l.cluster.Kube.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, nodeLocalName, metav1.GetOptions{})
	if err != nil {
		return warn("", "", "ConfigMap kube-system/%s: %v", nodeLocalName, err)
	}
	blocks, _, err := install.ParseCorefile(m.Data["Corefile"])
	if err != nil {
		return warn("", "", "ConfigMap kube-system/%s: %v", nodeLocalName, err)
	}
	missing := slices.DeleteFunc(l.zones(), func(zone string) bool {
		return servedBy(blocks, zone) || l.inStubDomains(ctx, zone)
	})
	if len(missing) == 0 {
		return nil
	}
	var keys []string
	for _, zone := range missing {
		keys = append(keys, zone+":53")
	}
	block := strings.Join(keys, " ") + ` { errors; cache { success 9984 5; denial 9984 5 }; bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__; forward . __PILLAR__CLUSTER__DNS__ { force_tcp } }`
	return bad("pods on its nodes get NXDOMAIN for "+strings.Join(missing, ", "),
		kubectl("-n kube-system edit configmap %s    # add, with the addresses of its other blocks: %s", nodeLocalName, block),
		"it sends %s to the nodes' resolver: its Corefile (ConfigMap kube-system/%s) has no block for it", strings.Join(missing, ", "), nodeLocalName)
}

// servedBy reports whether a block is for the zone, or one that holds it, the root aside.
func servedBy(blocks []install.Block, zone string) bool {
	return slices.ContainsFunc(blocks, func(b install.Block) bool {
		return slices.ContainsFunc(b.Keys, func(key string) bool {
			of := zoneOf(key)
			return of != "" && (zone == of || strings.HasSuffix(zone, "."+of))
		})
	})
}

// inStubDomains reports whether the ConfigMap kube-dns sends the zone elsewhere, which
// NodeLocal DNSCache reads too.
func (l *look) inStubDomains(ctx context.Context, zone string) bool {
	m, err := l.cluster.Kube.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "kube-dns", metav1.GetOptions{})
	if err != nil {
		return false
	}
	var domains map[string][]string
	return json.Unmarshal([]byte(m.Data["stubDomains"]), &domains) == nil && len(domains[zone]) > 0
}

// stubZone looks whether the cluster's own CoreDNS sends our zones to one that stands alone.
func (l *look) stubZone(context.Context) []finding {
	if l.in.Namespace == metav1.NamespaceSystem {
		return nil
	}
	for _, other := range l.all {
		if other.Namespace != metav1.NamespaceSystem || other.Err != nil || len(other.Imports) > 0 {
			continue // what isn't seen from here isn't known to be missing
		}
		missing := slices.DeleteFunc(l.zones(), func(zone string) bool { return servedBy(other.Blocks, zone) })
		if len(missing) > 0 {
			return bad("pods get NXDOMAIN for "+strings.Join(missing, ", "), "see corefile/stand-alone/README.md for the stanza of each provider",
				"the Corefile of %s (ConfigMap %s) has no block for %s", other.Name(), other.Corefile, strings.Join(missing, ", "))
		}
	}
	return nil
}

// cache is about kubeadm's `cache 30`, which keeps names over all clusters too: of a policy's
// weights, each client is then given what the first one drew.
func (l *look) cache(context.Context) []finding {
	weighted := false
	for _, d := range l.parsed.Documents {
		for _, p := range d.Policies {
			weighted = weighted || p != nil && len(p.Weights) > 0
		}
	}
	multicluster := l.stanza.Options["multicluster"]
	if !weighted || len(multicluster) == 0 || !slices.Contains(l.block.Plugins, "cache") {
		return nil
	}
	for _, zone := range multicluster {
		if !exempt(l.block.Words("cache"), zoneOf(zone)) {
			return warn("for as long as an answer is kept, all clients get the same member, whatever the weights", kubectl("-n %s edit configmap %s    # in cache: disable success %s", l.in.Corefile.Namespace, l.in.Corefile.ConfigMap, zone),
				"the block of %s has %s, which keeps %s", strings.Join(l.block.Keys, " "), fmt.Sprintf("`%s`", strings.Join(l.block.Words("cache")[0], " ")), zone)
		}
	}
	return nil
}

// exempt reports whether a cache doesn't keep a zone's answers: the zones on its first line
// don't hold it, or those of a `disable success` do.
func exempt(lines [][]string, zone string) bool {
	for i, words := range lines {
		switch {
		case i == 0:
			zones := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool { return w == "{" || strings.Trim(w, "0123456789") == "" })
			if len(zones) > 0 && !holds(zones, zone) {
				return true
			}
		case len(words) > 1 && words[0] == "disable" && words[1] == "success":
			if len(words) == 2 || holds(words[2:], zone) {
				return true
			}
		}
	}
	return false
}

// holds reports whether one of the zones is the zone, or above it.
func holds(zones []string, zone string) bool {
	return slices.ContainsFunc(zones, func(z string) bool {
		return zoneOf(z) == "" || zoneOf(z) == zone || strings.HasSuffix(zone, "."+zoneOf(z))
	})
}
