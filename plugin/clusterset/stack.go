package clusterset

import "runtime"

// stackRoom is what a query takes of its goroutine's stack from ServeDNS on, in bytes:
// its way down to a member's socket, or a reply's parsing. Alone in a server block, it
// fits on 4 KiB with that.
const stackRoom = 2000

// growStack has the stack of a query's goroutine grow now, where it has to. CoreDNS
// starts one for each query, with a small stack that an answer doesn't fit on; growing
// copies it frame by frame, and here there are few. Grown where it runs out it took a
// tenth of a query's CPU: test/bench/README.md.
//
//go:noinline
func growStack() {
	var room [stackRoom]byte
	runtime.KeepAlive(&room)
}
