// Package wire has the messages' form: a query is packed once, and read from no reply but
// one to its question (query.go). A reply is parsed (parse.go) with its names shared
// (names.go) and within a bound of memory (memory.go). It knows no connection and no
// upstream: those are package transport's and package exchange's.
package wire
