// Package replicas asks the status servers of clusterset's replicas: in pods, each by a
// forwarded port, or at addresses that the user names. What they say is bounded in size and
// time, and nobody's silence keeps the others' answers back. status, lookup and check call
// it.
package replicas
