package transport

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reportErrors makes the kernel report every ICMP error on a connected UDP
// socket, not only a closed port: a network without a route is known at once.
func reportErrors(network, _ string, conn syscall.RawConn) error {
	level, option := unix.IPPROTO_IP, unix.IP_RECVERR
	if network == "udp6" {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	return conn.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), level, option, 1) // then errors are known a little later
	})
}
