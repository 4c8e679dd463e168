package batch

import (
	"syscall"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

const (
	// maxBatch is how many packets are read and sent at a time.
	maxBatch = 64

	// maxQuery is how much of a query is read, as dns.Server's UDPSize by default.
	maxQuery = dns.MinMsgSize
)

// controlSize is the room for the control messages of a packet, of both families: a socket
// for IPv6 gives both for a packet of IPv4.
var controlSize = unix.CmsgSpace(unix.SizeofInet4Pktinfo) + unix.CmsgSpace(unix.SizeofInet6Pktinfo)

// packets are those that one recvmmsg read.
type packets struct {
	messages [maxBatch]mmsghdr
	buffers  [maxBatch]unix.Iovec
	bytes    [maxBatch][maxQuery]byte
	names    [maxBatch]unix.RawSockaddrInet6 // or a RawSockaddrInet4, which is shorter
	control  []byte                          // nil: the socket has one address
	n        int                             // how many were read
	next     int                             // the first of them that no one handled
}

func newPackets() packets { return packets{control: make([]byte, maxBatch*controlSize)} }

// read reads what there is from fd, up to maxBatch packets. If there's nothing, and waits, it waits.
func (p *packets) read(fd uintptr, waits bool) syscall.Errno {
	for i := range p.messages {
		p.buffers[i].Base = &p.bytes[i][0]
		p.buffers[i].SetLen(maxQuery)
		h := &p.messages[i].hdr
		h.Name = (*byte)(nameOf(&p.names[i]))
		h.Namelen = unix.SizeofSockaddrInet6
		h.Iov = &p.buffers[i]
		h.SetIovlen(1)
		h.Control = &p.control[i*controlSize]
		h.SetControllen(controlSize)
	}
	n, errno := mmsg(unix.SYS_RECVMMSG, fd, p.messages[:])
	if errno == syscall.EAGAIN && waits {
		n, errno = await(fd, p.messages[:])
	}
	if errno != 0 {
		n = 0
	}
	p.n, p.next = n, 0
	return errno
}

// packet returns the bytes of packet i, who sent it, and its control messages. They are valid
// until the next read.
func (p *packets) packet(i int) (data []byte, from *unix.RawSockaddrInet6, size uint32, control []byte) {
	m := &p.messages[i]
	at := i * controlSize
	return p.bytes[i][:m.n], &p.names[i], m.hdr.Namelen, p.control[at : at+int(m.hdr.Controllen)]
}
