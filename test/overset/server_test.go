//go:build e2e

package overset

import (
	"fmt"
	"strings"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// ip is where all of this package's servers listen. Other tests have other addresses: CoreDNS
// shares its ports (SO_REUSEPORT).
const ip = "127.0.133.1"

// setFile has the ClusterSet document.
const setFile = "clusterset.yaml"

// member is a member in a document.
type member struct {
	name, kubeconfig, dns string
	n                     int
	// lines are its other fields.
	lines string
}

// nowhere is an address where no DNS server is: members with data aren't asked.
const nowhere = ip + ":9"

// as returns the cluster as a member with those fields besides.
func (c *cluster) as(fields ...string) member {
	return member{name: c.name, kubeconfig: c.up.Kubeconfig(c.name), dns: nowhere, n: c.n, lines: strings.Join(fields, "\n  ")}
}

// at returns m with the kubeconfig at a path.
func (m member) at(kubeconfig string) member {
	m.kubeconfig = kubeconfig
	return m
}

// document returns the ClusterSet of members, with policies of those fields.
func document(policies []string, members ...member) string {
	var b strings.Builder
	b.WriteString("apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n")
	for _, m := range members {
		fmt.Fprintf(&b, "- name: %s\n  serviceCIDRs: [10.%d.0.0/16]\n  dns: [\"%s\"]\n", m.name, 100+m.n, m.dns)
		if m.kubeconfig != "" {
			fmt.Fprintf(&b, "  kubeconfig: {file: %s}\n", m.kubeconfig)
		}
		if m.lines != "" {
			fmt.Fprintf(&b, "  %s\n", m.lines)
		}
	}
	if len(policies) > 0 {
		b.WriteString("policies:\n")
	}
	for _, p := range policies {
		fmt.Fprintf(&b, "- {%s}\n", p)
	}
	return b.String()
}

// server is the CoreDNS under test.
type server struct {
	*harness.Server
	s *story
}

// start starts one in a cluster, "" where that isn't to be known, with those options of
// clusterset, and waits until it has the data of all members.
func (s *story) start(local, options, document string) *server {
	s.Helper()
	return s.startWith(local, options, document, "", nil)
}

// startWith is start with other plugins, and their files.
func (s *story) startWith(local, options, document, plugins string, files map[string]string) *server {
	s.Helper()
	if local != "" {
		options += "\n local " + local
	}
	lines := fmt.Sprintf("clusterset lan clusterset.local {\n file %s\n multicluster clusterset.local\n %s\n }\n %s\n", setFile, options, plugins)
	all := map[string]string{setFile: document}
	for name, text := range files {
		all[name] = text
	}
	v := &server{harness.StartServer(s.T, "clusterset in "+local, ip, lines, all), s}
	harness.Eventually(s.T, harness.StartLimit, "ready", func() error {
		v.Running()
		return v.IsReady()
	})
	harness.Eventually(s.T, harness.StartLimit, "listens", func() error {
		_, err := v.Ask("udp", "lan.")
		return err
	})
	return v
}

// set replaces the ClusterSet document.
func (v *server) set(document string) { v.Write(setFile, document) }
