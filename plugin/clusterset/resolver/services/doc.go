// Package services knows a service of the whole ClusterSet (KEP-1645) by its members' data: who
// exports it, which rules hold, which members answer, with which addresses, and why the others
// don't.
//
// A Service is made by a Builder (build.go), by the rules of rules.go and with the addresses of
// parts.go, and kept (kept.go) while it is current (current.go). Members whose data can't tell
// are left to the caller to ask; what they say is added by a Builder for one question (asked.go).
// It asks nobody and writes no records: package resolver does.
package services
