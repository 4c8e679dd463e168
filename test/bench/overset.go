package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Names over the whole ClusterSet, from data. One API server is every member: their services
// have the same names and addresses there, so that all answers are of one address. Each member
// is of a network of its own, as members of one have addresses of their own.

const (
	// setSuffix is that of the names, and oversetNames how many services each of many members
	// has; so many times 10,000 don't fit into this machine.
	setSuffix    = "svc.clusterset.local"
	oversetNames = 500
	// manyAPI is the folder of the API server of many members.
	manyAPI = "many"

	wide        = "clusterset-wide"
	clusterZone = "cluster zone"
	allOf3      = ", all of 3"
	byWeight    = ", 1 by weight"
)

// oversetOf3 are three members with all the services.
var oversetOf3 = work{title: "clusterset-wide from data, 3 members", contenders: []contender{
	{name: clusterZone, suffix: "svc.c1.lan", plugin: setMode("three.yaml", "local c1")},
	{name: wide, suffix: setSuffix, plugin: setMode("three.yaml", "local c1")},
	{name: wide + allOf3, suffix: setSuffix, plugin: setMode("three.yaml", "affinity none")},
}, peers: []string{clusterZone}, goals: []goal{
	{of: wide, beside: clusterZone, most: 1.30},
	{of: wide + allOf3, beside: clusterZone, most: 1.30},
}}

// oversetOf50 are fifty members with some of them.
var oversetOf50 = work{title: fmt.Sprintf("clusterset-wide from data, 50 members of %d services", oversetNames), contenders: []contender{
	{name: clusterZone, some: true, suffix: "svc.c1.lan", plugin: setMode("fifty.yaml", "local c1")},
	{name: wide, some: true, suffix: setSuffix, plugin: setMode("fifty.yaml", "local c1")},
	{name: wide + byWeight, some: true, suffix: setSuffix, plugin: setMode("weights.yaml", "local c1")},
}, peers: []string{clusterZone}, goals: []goal{
	{of: wide, beside: clusterZone, most: 1.30},
	{of: wide + byWeight, beside: clusterZone, most: 1.30},
}}

// oversetChanges answers with what all of three members have: the last to see a change counts.
var oversetChanges = contender{name: wide + ", 3 members", suffix: setSuffix, plugin: setMode("three.yaml", "affinity none")}

func setMode(document, option string) string {
	return "clusterset lan clusterset.local {\n        file " + document + "\n        mode resolve\n        multicluster clusterset.local\n        " + option + "\n    }"
}

// writeSets writes the ClusterSets of several members.
func writeSets(dir string) error {
	many := setOf(50, manyAPI+"/c1.kubeconfig")
	weights := new(strings.Builder)
	for i := range 50 {
		fmt.Fprintf(weights, "c%d: %d, ", i+1, i+1)
	}
	for name, text := range map[string]string{
		"three.yaml": setOf(3, "c1.kubeconfig"), "fifty.yaml": many,
		"weights.yaml": many + "policies:\n- {services: [\"*/*\"], weights: {" + strings.TrimSuffix(weights.String(), ", ") + "}}\n",
	} {
		if err := write(dir, name, text); err != nil {
			return err
		}
	}
	return nil
}

// setOf is the ClusterSet of n members, all of the API of one kubeconfig.
func setOf(n int, kubeconfig string) string {
	text := strings.Builder{}
	text.WriteString("apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n")
	for i := range n {
		fmt.Fprintf(&text, "- {name: c%d, network: n%d, reach: [services], serviceCIDRs: [10.101.0.0/16], kubeconfig: {file: %s}}\n", i+1, i+1, kubeconfig)
	}
	return text.String()
}

// runOverset measures many members, whose API server is another one.
func runOverset(ctx context.Context, s settings, dir string) error {
	folder := filepath.Join(dir, manyAPI)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	api, err := startAPI(ctx, s.kube, folder)
	if err != nil {
		return err
	}
	defer api.stop()
	if err := api.fill(ctx, min(s.names, oversetNames)); err != nil {
		return err
	}
	if err := api.export(ctx, min(s.names, oversetNames)); err != nil {
		return err
	}
	return oversetOf50.run(ctx, s, dir)
}
