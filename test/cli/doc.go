// Package cli tests kubectl clusterset end to end, in the three clusters of package world:
// a real program, API servers, port forwarding and CoreDNS.
//
// Its files have the build tag e2e. They need Linux.
package cli
