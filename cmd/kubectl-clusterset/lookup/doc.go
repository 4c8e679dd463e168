// Package lookup is the verb lookup: what a server of clusterset answers, and how it found
// it, step by step. The server itself says so, without a packet of DNS: it is asked at its
// status server. All that is shown is in its reply.
package lookup
