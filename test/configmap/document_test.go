//go:build e2e

package configmap

import (
	"fmt"
	"strings"
)

// entry is a member in a document.
type entry struct {
	name string
	cidr string
	dns  string
	more string // further fields, as "tls: {...}"
}

// member is the entry of the n-th member, c1 and 10.101.0.0/16 for 1, whose DNS
// is at addr.
func member(n int, addr string) entry {
	return entry{name: fmt.Sprintf("c%d", n), cidr: fmt.Sprintf("10.%d.0.0/16", 100+n), dns: addr}
}

// document is a ClusterSet document of these members.
func document(members ...entry) string {
	var b strings.Builder
	b.WriteString("apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n")
	for _, m := range members {
		fmt.Fprintf(&b, "- name: %s\n  serviceCIDRs: [%s]\n  dns: [\"%s\"]\n", m.name, m.cidr, m.dns)
		if m.more != "" {
			fmt.Fprintf(&b, "  %s\n", m.more)
		}
	}
	return b.String()
}

// one is the data of a ConfigMap with one document of these members.
func one(members ...entry) map[string]string {
	return map[string]string{"clusterset.yaml": document(members...)}
}
