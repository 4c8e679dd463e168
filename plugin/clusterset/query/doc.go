// Package query is the grammar of clusterset's names: it turns a question into
// what a member is asked, and a member's reply back into an answer to the
// question. It does no I/O and knows no member but by name and domain.
package query
