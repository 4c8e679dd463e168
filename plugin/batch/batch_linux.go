package batch

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// retryAfter is how long a reader waits after an error of the kernel: one without memory, for
// example.
const retryAfter = 10 * time.Millisecond

// A batch is what was read of a socket at a time, and the replies to it that wait to be sent.
// One worker at a time has it, answers its packets in turn and reads the next into it. When a
// handler waits, the batch goes on to another worker, and the handler's stays with its query.
type batch struct {
	in      packets
	errno   syscall.Errno
	read    func(fd uintptr) // what fill hands to the socket, made once
	helps   bool             // ends when there's nothing to read
	spread  bool             // what's left of it: it has taken too long
	serving *server          // whose handlers answer the packets in it

	// turns is odd while packets are answered, and grows: the watch sees by it how long that
	// has taken.
	turns   atomic.Uint64
	queries atomic.Uint64 // that a handler was called for
	seen    seen          // by the watch

	mu      sync.Mutex
	current *query // whose handler runs, with the rest waiting for it
	out     replies
}

func newBatch() *batch {
	b := &batch{in: newPackets()}
	b.read = func(fd uintptr) { b.errno = b.in.read(fd, !b.helps) }
	return b
}

// fill reads packets, and reports whether it did. Of a batch that helps, it returns false when
// there are none; of the reader's, when the socket is closed.
func (b *batch) fill(s *socket) bool {
	for !s.closed.Load() {
		b.in.n, b.in.next = 0, 0
		switch err := s.raw.Control(b.read); {
		case err != nil, s.closed.Load(), b.errno == syscall.EAGAIN && b.helps:
			return false
		case b.errno == 0:
			return true
		case b.errno != syscall.EAGAIN && b.errno != syscall.EINTR:
			time.Sleep(retryAfter)
		}
	}
	return false
}

// begin makes q the query that the batch waits for.
func (b *batch) begin(q *query) {
	b.mu.Lock()
	b.current = q
	b.mu.Unlock()
	b.queries.Add(1)
}

// end reports whether the batch still waited for q, which was answered: if not, it has gone to
// another worker.
func (b *batch) end(q *query) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != q {
		return false
	}
	b.current = nil
	return true
}

// buffer returns room for a reply to q while the batch waits for it, else nil.
func (b *batch) buffer(q *query) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != q {
		return nil
	}
	return b.out.buffer()
}

// reply keeps a reply to q while the batch waits for it, and reports whether it did.
func (b *batch) reply(q *query, data []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current == q && b.out.add(&q.client, data)
}
