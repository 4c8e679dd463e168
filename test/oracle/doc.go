// Package oracle compares clusterset with CoreDNS's own kubernetes plugin on the
// same data: one real API server, filled with every kind of Service and
// EndpointSlice, and two CoreDNS servers that answer from it. Every name there
// is, every neighbour of a name, and every type must get the same reply, with
// the zone renamed; then the data change at random, and all is asked again.
//
// The same is done for names over the whole ClusterSet (KEP-1645), of ServiceImports and
// the EndpointSlices imported with them, beside the kubernetes plugin's multicluster zones.
//
// What is meant to differ is a table with a reason for each (exceptions_test.go).
// The test fails where a difference isn't in it, and where an exception of it is
// never needed.
//
// It has tests only, with the build tag e2e; `make e2e` runs them. ORACLE_SEED,
// which a failed run logs, repeats its random changes. `make oracle SEEDS=200` makes
// those of many seeds, and asks for what changed alone.
package oracle
