// Package helm tests the chart deploy/helm/clusterset with Helm's own packages: what it
// renders is what kustomize renders, its schema refuses what is wrong, and a real API
// takes it, changed and taken away again.
//
// It is a module of its own, so that nothing of Helm gets into the plugin's go.mod.
package helm
