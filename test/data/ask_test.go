//go:build e2e

package data

import (
	"fmt"
)

// TTLs tell where an answer is from: freshTTL is what the servers are configured
// with, staleTTL the plugin's bound for stale answers (RFC 8767), dnsTTL that of
// the members' DNS.
const freshTTL, staleTTL, dnsTTL = 60, 30, 5

// name is that of a member's service.
func name(service, member string) string { return service + "." + namespace + "." + member + ".lan." }

// Replies, as harness.Describe has them.
const (
	missing   = "NXDOMAIN"
	notSynced = "SERVFAIL EDE14" // RFC 8914: Not Ready
	unknown   = "SERVFAIL EDE22" // No Reachable Authority
)

// fromData is the reply with fresh data, stale the one with those that nothing
// proves true (EDE 3: Stale Answer), fromDNS that of a member's DNS.
func fromData(addr string) string { return fmt.Sprintf("NOERROR %d %s", freshTTL, addr) }
func stale(addr string) string    { return fmt.Sprintf("NOERROR EDE3 %d %s", staleTTL, addr) }
func fromDNS(addr string) string  { return fmt.Sprintf("NOERROR %d %s", dnsTTL, addr) }
