// Package guard decides which addresses a member may answer with: those that can be its own
// (trust.go), and that clients here can reach (kinds.go).
//
// It knows no messages: package records applies it to a member's records, and package services
// to the addresses that data have.
package guard
