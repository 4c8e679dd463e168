//go:build e2e

package data

import (
	"fmt"
	"strings"
)

// entry is a member in a document.
type entry struct {
	name       string
	n          int // of its CIDR
	dns        string
	kubeconfig string // "file: PATH" or "secret: NAMESPACE/NAME"; "" for none
}

// withFile is the member's entry, its kubeconfig in the file.
func (c *cluster) withFile(path string) entry {
	return entry{c.name, c.n, c.dns, "file: " + path}
}

// entries are the members, with their administrators' kubeconfigs.
func entries(clusters ...*cluster) []entry {
	var all []entry
	for _, c := range clusters {
		all = append(all, c.withFile(c.up.Kubeconfig(c.name)))
	}
	return all
}

// document is a ClusterSet document of these members.
func document(members ...entry) string {
	var b strings.Builder
	b.WriteString("apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n")
	for _, m := range members {
		fmt.Fprintf(&b, "- name: %s\n  serviceCIDRs: [10.%d.0.0/16]\n  dns: [\"%s\"]\n", m.name, 100+m.n, m.dns)
		if m.kubeconfig != "" {
			fmt.Fprintf(&b, "  kubeconfig: {%s}\n", m.kubeconfig)
		}
	}
	return b.String()
}
