// Package selection decides which members answer a clusterset-wide name: candidates in, a
// choice and its reasons out. It asks nobody, and knows neither DNS nor Kubernetes; package
// resolver finds the candidates, and calls it.
//
// It works in two steps. NewPlan sorts the candidates of one service by its rules
// (candidate.go) into priorities, and computes how much of the replies each of them gets
// (priority.go, load.go). It is called when something has changed. Plan.Pick is called for
// each query (plan.go), with the Draw of its client (draw.go): it takes no lock and
// allocates nothing.
//
// Everything is a function of its arguments alone, hashes included, so that all replicas of
// a server which know the same give one client the same answer.
package selection
