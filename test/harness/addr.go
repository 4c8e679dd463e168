//go:build e2e

package harness

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// given are the addresses that FreeAddr has given, so that it gives none twice:
// CoreDNS would share the port.
var given sync.Map

// FreeAddr is an address of ip whose port nobody uses, for UDP and TCP. The port
// is below those that the kernel gives out, so that no client's socket takes it
// before the server does.
func FreeAddr(t testing.TB, ip string) netip.AddrPort {
	t.Helper()
	for range 100 {
		addr := netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(20000+rand.IntN(12000)))
		if _, known := given.LoadOrStore(addr, true); !known && isFree(addr.String()) {
			return addr
		}
	}
	t.Fatalf("no free port at %s", ip)
	return netip.AddrPort{}
}

func isFree(addr string) bool {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}
