// Package query is the grammar of clusterset's names. It parses a question's name
// (parse.go, reverse.go), answers it from a member's data (records.go, addresses.go,
// srv.go), and turns a reply of a member's DNS into an answer: unusable records removed
// (clean.go), those selected that answer the question (chain.go), and names renamed
// (rename.go, rdata.go). It does no I/O, and knows members by name and domain only.
package query
