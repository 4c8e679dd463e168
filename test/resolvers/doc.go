// Package resolvers tests clusterset as iterating resolvers use it: BIND and Unbound
// come to it from a root zone that delegates lan and the reverse zones to it, or by
// a stub zone, with each way of minimising names there is, over IPv4 and over IPv6. The
// lines of configuration are those that the plugin's man page shows.
//
//	root 127.0.0.2, ::1 ── lan 10.101.0.53, fd00:101::53 ── members' DNS, a member's API
//	                 resolver 127.0.0.1, ::1
//
// All of it runs in a network namespace of its own, whose loopback interface has these
// addresses, so that each server has port 53. It takes Linux, root, bind9 and unbound,
// and the build tag e2e.
package resolvers
