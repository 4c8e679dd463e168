package batch

import (
	"encoding/binary"
	"net"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// client is who sent a query, and which of this host's addresses it was sent to.
type client struct {
	name     unix.RawSockaddrInet6
	nameSize uint32
	control  [40]byte // CmsgSpace of the larger, IPv6's; makes the reply leave from the address that was asked
	controls int
	addr     net.UDPAddr
	ip       [net.IPv6len]byte
}

func nameOf(a *unix.RawSockaddrInet6) unsafe.Pointer { return unsafe.Pointer(a) }

// set makes c that of a packet from name, with the control messages it came with.
func (c *client) set(name *unix.RawSockaddrInet6, size uint32, control []byte) {
	c.name, c.nameSize = *name, size
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // of both families
	c.addr.Port = int(binary.BigEndian.Uint16(port[:]))
	if name.Family == unix.AF_INET {
		of4 := (*unix.RawSockaddrInet4)(nameOf(name))
		c.addr.IP = append(c.ip[:0], of4.Addr[:]...)
	} else {
		c.addr.IP = append(c.ip[:0], name.Addr[:]...)
		if name.Scope_id != 0 {
			c.addr.Zone = zoneName(int(name.Scope_id))
		}
	}
	c.controls = source(c.control[:], control)
}

// source writes the control message that has a reply leave from the address that its query
// was sent to, and returns its length. The interface is left to the kernel, as dns.Server
// does it.
func source(reply, control []byte) int {
	n := 0
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(control) {
			break
		}
		switch data := control[unix.CmsgLen(0):size]; {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			var info unix.Inet4Pktinfo
			copy(info.Spec_dst[:], data[8:12]) // ipi_addr: where it was sent to
			return control4(reply, &info)
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			n = sourceOf6(reply, data[:net.IPv6len])
		}
		control = control[min(unix.CmsgSpace(size-unix.CmsgLen(0)), len(control)):]
	}
	return n // of IPv4, if the packet has both
}

// sourceOf6 is source of an address that the kernel gave as one of IPv6.
func sourceOf6(reply, to []byte) int {
	if to4 := net.IP(to).To4(); to4 != nil {
		var info unix.Inet4Pktinfo
		copy(info.Spec_dst[:], to4)
		return control4(reply, &info)
	}
	var info unix.Inet6Pktinfo
	copy(info.Addr[:], to)
	return control6(reply, &info)
}

func control4(b []byte, info *unix.Inet4Pktinfo) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	*(*unix.Inet4Pktinfo)(unsafe.Pointer(&b[unix.CmsgLen(0)])) = *info
	return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
}

func control6(b []byte, info *unix.Inet6Pktinfo) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
	*(*unix.Inet6Pktinfo)(unsafe.Pointer(&b[unix.CmsgLen(0)])) = *info
	return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
}

// zoneName returns the name of an interface, or its number: the zone of a link-local address.
func zoneName(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}
