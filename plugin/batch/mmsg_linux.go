package batch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct mmsghdr: a message, and how many bytes of it were read or
// sent.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// mmsg calls recvmmsg or sendmmsg, and returns how many messages were read or sent. It
// doesn't wait. It takes so short that the scheduler needn't know of it.
func mmsg(call, fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&messages[0])), uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
		if errno != syscall.EINTR {
			return int(n), errno
		}
	}
}

// await is mmsg's recvmmsg that waits for a first message, as long as the socket has its
// reads wait.
func await(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&messages[0])), uintptr(len(messages)), unix.MSG_WAITFORONE, 0, 0)
	return int(n), errno
}
