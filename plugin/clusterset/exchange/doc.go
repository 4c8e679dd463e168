// Package exchange asks a member's DNS: it has the transports, their sockets,
// the health of each upstream, and the order of attempts within one query's
// time. A reply it hands back answers the question that was asked.
//
// It neither renames nor judges what a reply says; that is its caller's, the
// clusterset plugin.
package exchange
