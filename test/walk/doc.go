// Package walk runs the walks of CONTRIBUTING.md: it builds a CoreDNS in which
// each function of the plugin records when it is called, asks it, changes its
// ClusterSet, and compares what was called with what CONTRIBUTING.md says is
// called, function by function. It also bounds how many calls an answer takes.
//
// It has tests only, with the build tag e2e. With -v they print the traces:
//
//	go test -tags e2e -count 1 -v ./test/walk
package walk
