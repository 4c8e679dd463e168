package objects

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
)

// What kube-system's CoreDNS will have, where there is none with clusterset yet.
const (
	defaultConfigMap = "clusterset"
	defaultAccount   = "coredns"
)

// FindLocal finds the CoreDNS with clusterset in the cluster, and with it where join makes
// objects. configMap is the ClusterSet's NAMESPACE/NAME, "" for what the Corefile says. Where
// there is no such CoreDNS yet, what kube-system's will have is assumed, and a note says so.
func (c *Cluster) FindLocal(ctx context.Context, configMap string) (l Local, note string, err error) {
	l = Local{UID: c.UID, Namespace: MemberNamespace, ConfigMap: defaultConfigMap, AccountNamespace: MemberNamespace, Account: defaultAccount}
	if configMap != "" {
		if l.Namespace, l.ConfigMap, err = SplitConfigMap(configMap); err != nil {
			return l, "", err
		}
	}
	all, err := install.FindAll(ctx, c.Kube, install.Where{})
	if err != nil {
		return l, "", fmt.Errorf("%s: %w", c, err)
	}
	for _, found := range all {
		for _, stanza := range found.Stanzas() {
			if stanza.File != "" || configMap != "" && configMap != stanza.Namespace+"/"+stanza.ConfigMap {
				continue
			}
			l.Namespace, l.ConfigMap = stanza.Namespace, stanza.ConfigMap
			l.AccountNamespace, l.Account, l.Image = found.Namespace, cmp.Or(found.ServiceAccount, "default"), found.Image
			return l, "", nil
		}
	}
	if len(all) > 0 {
		l.AccountNamespace, l.Account = all[0].Namespace, cmp.Or(all[0].ServiceAccount, "default")
	}
	return l, fmt.Sprintf("%s: no CoreDNS there has clusterset with ConfigMap %s/%s in its Corefile yet; ServiceAccount %s/%s is assumed to read it",
		c, l.Namespace, l.ConfigMap, l.AccountNamespace, l.Account), nil
}

// SplitConfigMap splits the flag --configmap.
func SplitConfigMap(flag string) (namespace, name string, err error) {
	namespace, name, ok := strings.Cut(flag, "/")
	if !ok || namespace == "" || name == "" {
		return "", "", cli.Usage("--configmap %q: must be NAMESPACE/NAME", flag)
	}
	return namespace, name, nil
}
