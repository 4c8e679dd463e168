// Package members keeps the members in force: built from a ClusterSet, shared among server
// blocks and the instances of a reload, replaced when they change, drained when they leave.
// It doesn't decide how a question is answered (package resolver), nor does it read
// documents (package discovery).
package members
