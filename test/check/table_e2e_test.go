//go:build e2e && linux

package check

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const policies = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters: []\npolicies:\n- {services: [\"shop/*\"], weights: {cluster1: 1, cluster2: 9}}\n"

const gateway = "  reach: [services, gateways]\n  gateways: [203.0.113.10]\n  probe: tcp://10.102.0.99:1\n"

// ways are those of breaking it. What follows from one is not to be found beside it.
var ways = []way{
	{
		name: "the reader's account is gone", first: "CS407 cluster2", says: "doesn't take the credential",
		breakIt: func(b *bench) { b.deleteIn(b.two, "account", "clusterset-reader") }, mend: (*bench).join,
	},
	{
		name: "a token has ended", first: "CS405 cluster2", says: "its token ended at 2023-11-14",
		breakIt: func(b *bench) { b.kubeconfig(ended) }, mend: (*bench).join,
	},
	{
		name: "a kubeconfig runs a command", first: "CS404 cluster2", says: "exec: refused",
		breakIt: func(b *bench) {
			b.kubeconfig(func(text string) string {
				return strings.Replace(text, "    token:", "    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}\n    token:", 1)
			})
		},
		mend: (*bench).join,
	},
	{
		name: "a Secret is gone", first: "CS401 cluster2", says: "isn't there",
		breakIt: func(b *bench) { b.deleteIn(b.one, "secret", "cluster2-kubeconfig") }, mend: (*bench).join,
	},
	{
		name: "CoreDNS may not read a Secret", first: "CS402 cluster2", says: "may not get secrets cluster2-kubeconfig",
		breakIt: func(b *bench) { b.deleteIn(b.one, "binding", "cluster2-kubeconfig") }, mend: (*bench).join,
	},
	{
		name: "the member's rights are cut", first: "CS409 cluster2", says: "may not list services",
		breakIt: func(b *bench) { b.deleteIn(b.two, "clusterbinding", "clusterset-reader") }, mend: (*bench).join,
	},
	{
		name: "the member's token can't renew itself", first: "CS409 cluster2", says: "create serviceaccounts/token",
		breakIt: func(b *bench) { b.deleteIn(b.two, "binding", "clusterset-reader") }, mend: (*bench).join,
	},
	{
		name: "the reader may do all", first: "CS410 cluster2", says: "list secrets",
		breakIt: func(b *bench) { b.bindAdmin(b.two, "clusterset-reader") },
		mend:    func(b *bench) { b.deleteIn(b.two, "clusterbinding", "too-much") },
	},
	{
		name: "CoreDNS may do all", first: "CS403", says: "list secrets",
		breakIt: func(b *bench) { b.bindAdmin(b.one, "coredns") },
		mend:    func(b *bench) { b.deleteIn(b.one, "clusterbinding", "too-much") },
	},
	{
		name: "CoreDNS may not read its ConfigMap", first: "CS305", says: "may not get configmaps clusterset",
		breakIt: func(b *bench) { b.deleteIn(b.one, "binding", "clusterset") }, mend: (*bench).rbac,
	},
	{
		name: "nobody renews", first: "CS406", says: "CronJob kube-system/clusterset-renew isn't there",
		breakIt: func(b *bench) { b.deleteIn(b.one, "cronjob", "clusterset-renew") }, mend: (*bench).join,
	},
	{
		name: "a CIDR is wrong", first: "CS501 cluster2", says: "10.102.0.1, which is in none of 10.199.0.0/16",
		breakIt: func(b *bench) { b.entry("serviceCIDRs: [10.102.0.0/16]", "serviceCIDRs: [10.199.0.0/16]") }, mend: (*bench).join,
	},
	{
		name: "the 10th address isn't its DNS", first: "CS502 cluster2", says: "its DNS service is at 10.102.0.77",
		breakIt: func(b *bench) { b.dnsService("10.102.0.77") }, mend: func(b *bench) { b.dnsService("10.102.0.10") },
	},
	{
		name: "CIDRs overlap", first: "CS303", says: "10.103.0.0/24",
		breakIt: func(b *bench) { b.entry("podCIDRs: [10.52.0.0/16]", "podCIDRs: [10.103.0.0/24]") }, mend: (*bench).mendPods,
	},
	{
		name: "the document is bad", first: "CS302", says: "10.102.0.0/33",
		breakIt: func(b *bench) { b.entry("[10.102.0.0/16]", "[10.102.0.0/33]") }, mend: func(b *bench) { b.entry("[10.102.0.0/33]", "[10.102.0.0/16]") },
	},
	{
		name: "the member's DNS is dead", first: "CS503 cluster2", says: "10.102.0.10",
		breakIt: func(b *bench) { b.two.StopDNS() }, mend: func(b *bench) { b.two.StartDNS() },
	},
	{
		name: "the member's API is gone", first: "CS407 cluster2", says: "its API can't be asked",
		breakIt: func(b *bench) { b.w.APIs.Stop("cluster2") }, mend: func(b *bench) { b.w.APIs.Start("cluster2") },
	},
	{
		name: "a replica is dead", first: "CS206 PODTWO", says: "",
		breakIt: func(b *bench) { b.one.Replicas[1].Kill() }, mend: func(b *bench) { b.one.Replicas[1].Start() },
	},
	{
		name: "a replica has no plugin", first: "CS206 PODTWO", says: "",
		breakIt: func(b *bench) { b.one.Replicas[1].SetCorefile(withoutPlugin(b.one.Replicas[1].DefaultCorefile())) },
		mend:    func(b *bench) { b.one.Replicas[1].SetCorefile(b.one.Replicas[1].DefaultCorefile()) },
	},
	{
		name: "two replicas have two documents", first: "CS306 PODTWO", says: "another one in force",
		breakIt: func(b *bench) {
			// The second reads the same ConfigMap of another cluster.
			b.one.Replicas[1].SetCorefile(strings.Replace(b.one.Replicas[1].DefaultCorefile(), "clusterset lan clusterset.local in-addr.arpa ip6.arpa {",
				"clusterset\tlan clusterset.local in-addr.arpa ip6.arpa {\n        kubeconfig "+b.w.Kubeconfig+" cluster3", 1))
		},
		mend: func(b *bench) { b.one.Replicas[1].SetCorefile(b.one.Replicas[1].DefaultCorefile()) },
		also: []string{"CS504 cluster2", "CS504 cluster3"},
	},
	{
		name: "a pod isn't ready", first: "CS204 PODTWO", says: "",
		breakIt: func(b *bench) { b.pod(b.one.Replicas[1].Pod(), v1.ConditionFalse) },
		mend:    func(b *bench) { b.pod(b.one.Replicas[1].Pod(), v1.ConditionTrue) },
	},
	{
		name: "the Corefile is put back", first: "CS203", says: "has none",
		breakIt: func(b *bench) { b.key("coredns", "Corefile", withoutPlugin(b.one.Replicas[0].DefaultCorefile())) },
		mend:    (*bench).mendCorefile,
	},
	{
		name: "the Corefile lacks a brace", first: "CS202", says: "its Corefile (ConfigMap kube-system/coredns, key Corefile)",
		breakIt: func(b *bench) { b.key("coredns", "Corefile", ".:53 {\n    clusterset lan {\n") }, mend: (*bench).mendCorefile,
	},
	{
		name: "the Corefile serves no status", first: "CS205", says: "no line `status`",
		breakIt: func(b *bench) { b.corefile("        status\n", "\n") }, mend: (*bench).mendCorefile,
	},
	{
		name: "the Corefile loops", first: "CS601", says: "forwards to 10.101.0.10, which is itself",
		breakIt: func(b *bench) { b.corefile("forward . /etc/resolv.conf", "forward . 10.101.0.10") }, mend: (*bench).mendCorefile,
	},
	{
		name: "NodeLocal DNSCache is in front", first: "CS602", says: "lan, clusterset.local",
		breakIt: func(b *bench) { b.must(b.one.Apply(nodeLocal)) },
		mend: func(b *bench) {
			b.deleteIn(b.one, "daemonset", "node-local-dns")
			b.deleteIn(b.one, "configmap", "node-local-dns")
		},
	},
	{
		name: "a cache pins the weights", first: "CS604", says: "`cache 30 {`",
		breakIt: func(b *bench) { b.key("clusterset", "policies.yaml", policies) },
		mend:    func(b *bench) { b.key("clusterset", "policies.yaml", "") },
	},
	{
		name: "a member is another cluster", first: "CS408 cluster2", says: "is another cluster",
		breakIt: func(b *bench) { b.memberUID("of-another") }, mend: (*bench).joinAnother,
	},
	{
		name: "a gateway is dead", first: "CS505 cluster2", says: "tcp://10.102.0.99:1 is down",
		breakIt: func(b *bench) { b.entry("- name: cluster2\n", "- name: cluster2\n"+gateway) },
		mend:    func(b *bench) { b.entry(gateway, "") },
	},
	{
		name: "nobody says which member this is", first: "CS304", says: "by its DNS address this cluster is cluster1",
		breakIt: func(b *bench) {
			b.setCorefiles(func(text string) string { return strings.Replace(text, "        local cluster1\n", "", 1) })
		},
		mend: func(b *bench) { b.setCorefiles(func(text string) string { return text }) },
		also: []string{"CS303"},
	},
	{
		name: "there is no Deployment", first: "CS201", says: "neither in kube-system",
		breakIt: func(b *bench) {
			d, err := b.one.Client.AppsV1().Deployments(system).Get(b.t.Context(), "coredns", metav1.GetOptions{})
			b.must(err)
			b.kept = d
			b.must(b.one.Client.AppsV1().Deployments(system).Delete(b.t.Context(), "coredns", metav1.DeleteOptions{}))
		},
		mend: (*bench).mendDeployment,
	},
}

// withoutPlugin is the Corefile as it was before clusterset.
func withoutPlugin(corefile string) string {
	before, rest, _ := strings.Cut(corefile, "    clusterset lan")
	_, after, _ := strings.Cut(rest, "\n    }\n")
	return before + after
}
