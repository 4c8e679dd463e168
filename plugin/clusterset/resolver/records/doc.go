// Package records makes a member's records ours: a Filter leaves out what isn't part of an answer,
// what isn't the member's to give (guard.go) and what isn't exported or offered (hide.go), renames
// the rest, and chooses addresses by how clients here reach the member (reach.go). Of what a CNAME
// that leads out is followed to, chain.go says what is given.
//
// It asks nobody: the records come from package resolver, which makes a Resolution of what is
// kept.
package records
