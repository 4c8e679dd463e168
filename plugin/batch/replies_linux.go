package batch

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// replySize is the room for one reply; one that needs more has memory of its own.
const replySize = 1232

// sendWait is how long a reply waits for room in the socket's buffer.
const sendWait = time.Second

// replies are those that wait to be sent by one sendmmsg.
type replies struct {
	messages [maxBatch]mmsghdr
	buffers  [maxBatch]unix.Iovec
	data     [maxBatch][]byte
	n        int // how many wait
	sent     int // how many of them were sent, or refused by the kernel
	free     [][]byte
	write    func(fd uintptr) // what send hands to raw, made once
}

// buffer returns room for a reply, which add takes back.
func (r *replies) buffer() []byte {
	if last := len(r.free) - 1; last >= 0 {
		b := r.free[last]
		r.free = r.free[:last]
		return b
	}
	return make([]byte, replySize)
}

// add keeps a reply to be sent, and reports whether there was room for it.
func (r *replies) add(to *client, data []byte) bool {
	if r.n == maxBatch {
		return false
	}
	fill(&r.messages[r.n], &r.buffers[r.n], to, data)
	r.data[r.n] = data
	r.n++
	return true
}

// send sends all replies. One that the kernel refuses is lost, as with dns.Server; those behind
// it aren't.
func (r *replies) send(raw syscall.RawConn) {
	if r.n == 0 {
		return
	}
	if r.write == nil {
		r.write = r.writeTo
	}
	_ = raw.Control(r.write) // an error: the socket is closed
	for i := range r.n {
		if cap(r.data[i]) == replySize {
			r.free = append(r.free, r.data[i][:replySize])
		}
		r.data[i], r.buffers[i], r.messages[i] = nil, unix.Iovec{}, mmsghdr{}
	}
	r.n, r.sent = 0, 0
}

func (r *replies) writeTo(fd uintptr) {
	for r.sent < r.n {
		n, errno := mmsg(unix.SYS_SENDMMSG, fd, r.messages[r.sent:r.n])
		switch {
		case errno == 0:
			r.sent += n
		case errno != syscall.EAGAIN || !awaitRoom(fd):
			r.sent++
		}
	}
}

// awaitRoom waits until there's room in fd's buffer again, and reports whether there is.
func awaitRoom(fd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(sendWait.Milliseconds()))
	return n > 0 || errors.Is(err, unix.EINTR)
}

// sendOne sends a reply by itself.
func sendOne(raw syscall.RawConn, to *client, data []byte) error {
	var message [1]mmsghdr
	var buffer unix.Iovec
	var errno syscall.Errno
	fill(&message[0], &buffer, to, data)
	err := raw.Control(func(fd uintptr) {
		for {
			_, errno = mmsg(unix.SYS_SENDMMSG, fd, message[:])
			if errno != syscall.EAGAIN || !awaitRoom(fd) {
				return
			}
		}
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return err
}

func fill(m *mmsghdr, b *unix.Iovec, to *client, data []byte) {
	if len(data) > 0 {
		b.Base = &data[0]
	}
	b.SetLen(len(data))
	m.hdr = unix.Msghdr{Name: (*byte)(nameOf(&to.name)), Namelen: to.nameSize, Iov: b}
	m.hdr.SetIovlen(1)
	if to.controls > 0 {
		m.hdr.Control = &to.control[0]
		m.hdr.SetControllen(to.controls)
	}
}
