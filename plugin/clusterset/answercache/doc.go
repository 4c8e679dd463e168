// Package answercache keeps what members' DNS answered: for its TTL, and, of a
// name that exists, for as long after as a stale answer may be given (RFC 8767).
//
// A Cache is one server block's. Each member has a Member of it, which is made and
// dropped with the member, so that nothing is found of one that left or changed.
// The members share the Cache's capacity (cache.go) so that none of them can push
// out another's answers; within a member names that are asked again stay, and a
// flood of names that are asked once flows past them (queue.go). Positive and
// negative answers have a capacity each.
//
// What is kept is the member's own reply (keep.go says which, and how long): the
// caller renames and checks each copy (copy.go) as if the member had just given
// it. Asking a member is the caller's part as well; a Flight coalesces the refreshes of one
// answer (refresh.go).
package answercache
