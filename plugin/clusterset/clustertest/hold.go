package clustertest

import (
	"io"
	"net"
	"net/netip"
	"sync"
)

// held are the ports of stopped servers: a server started meanwhile on a free port,
// in this process or another, would answer in their place.
var held sync.Map // netip.AddrPort to io.Closer

// hold takes a port and refuses what comes there: a UDP socket connected to another
// peer takes nothing from anybody else, and the kernel tells them so.
func hold(addr netip.AddrPort) {
	nobody := netip.AddrPortFrom(addr.Addr(), 9) // discard
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(addr), net.UDPAddrFromAddrPort(nobody))
	if err == nil { // else somebody was quicker
		held.Store(addr, conn)
	}
}

// release gives a port back.
func release(addr netip.AddrPort) {
	if conn, ok := held.LoadAndDelete(addr); ok {
		_ = conn.(io.Closer).Close()
	}
}
