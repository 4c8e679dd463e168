// Package resolver decides how a question is answered: from which member, from which
// source, with which records. Resolve is the way through it; its steps are in resolve.go.
//
// It reads members in force (package members) and asks them; it writes no message, metric
// or log line: these are read from the Resolution that it returns.
package resolver
