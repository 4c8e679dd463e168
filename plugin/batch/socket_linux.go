package batch

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// A socket reads the queries that are sent to one address. It outlives a reload: its server is
// replaced, with what waits in it untouched.
type socket struct {
	name     string   // of CoreDNS's server
	file     *os.File // which the runtime doesn't poll
	raw      syscall.RawConn
	local    *net.UDPAddr
	batches  []*batch    // that of the reader first, then those that help it
	helpers  chan *batch // of batches, those that no one has
	pool     pool
	watch    watch
	steering *steering

	serving atomic.Pointer[server] // nil: queries wait in the socket until there is one again
	mu      sync.Mutex
	changed *sync.Cond // serving isn't nil any more, or closed is set; of mu
	closed  atomic.Bool
	done    chan struct{} // the reader has ended
}

func newSocket(name string, conn *net.UDPConn, own int) (*socket, error) {
	defer func() { _ = conn.Close() }() // the file is another descriptor of the same socket
	if err := packetInfo(conn); err != nil {
		return nil, err
	}
	file, err := blocking(conn)
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	s := &socket{
		name: name, steering: newSteering(own), file: file, raw: raw, local: conn.LocalAddr().(*net.UDPAddr),
		helpers: make(chan *batch, runtime.GOMAXPROCS(0)), done: make(chan struct{}),
	}
	s.changed = sync.NewCond(&s.mu)
	s.pool.work = s.work
	for i := range runtime.GOMAXPROCS(0) {
		b := newBatch()
		if b.helps = i > 0; b.helps {
			s.helpers <- b
		}
		s.batches = append(s.batches, b)
	}
	s.watch.init(s)
	return s, nil
}

// blocking returns a socket as a file that waits in the kernel. A thread of its own that waits
// there is woken by a packet itself; the runtime's poller would be, then another thread, then its
// goroutine, which costs more than a small batch.
func blocking(conn *net.UDPConn) (*os.File, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var file *os.File
	var failed error
	err = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, room) // what the system allows of it
		if failed = unix.SetNonblock(int(fd), false); failed != nil {
			return
		}
		var copied int
		if copied, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); failed == nil {
			file = os.NewFile(uintptr(copied), conn.LocalAddr().String())
		}
	})
	return file, errors.Join(err, failed)
}

// room is how much a socket may hold, in bytes, if the system allows as much. Packets wait in it
// while a batch is answered.
const room = 4 << 20

// packetInfo has the kernel say which address each packet was sent to.
func packetInfo(conn *net.UDPConn) error {
	if !conn.LocalAddr().(*net.UDPAddr).IP.IsUnspecified() {
		return nil // that of the socket
	}
	err6 := ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
	err4 := ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true)
	if err6 != nil && err4 != nil {
		return err4
	}
	return nil
}

// start has the socket read.
func (s *socket) start() {
	s.pool.give(task{batch: s.batches[0]})
	go s.steer()
}

// serve has srv answer what is read from here on; nil: what is read waits.
func (s *socket) serve(srv *server) {
	s.mu.Lock()
	s.serving.Store(srv)
	s.mu.Unlock()
	s.changed.Broadcast()
}

// enter returns the server that answers now, which then counts a batch of it as in flight. It
// waits for one; nil: the socket is closed.
func (s *socket) enter() *server {
	for {
		srv := s.serving.Load()
		if srv == nil {
			if !s.await() {
				return nil
			}
			continue
		}
		srv.inFlight.Add(1)
		if s.serving.Load() == srv { // else it may have been seen with nothing in flight
			return srv
		}
		srv.inFlight.Add(-1)
	}
}

func (s *socket) await() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.serving.Load() == nil && !s.closed.Load() {
		s.changed.Wait()
	}
	return !s.closed.Load()
}

// drain waits until nothing of srv is in flight, for no longer than most.
func (s *server) drain(most time.Duration) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(most); s.inFlight.Load() > 0 && time.Now().Before(end); {
		<-tick.C
	}
}

// close ends the socket, with what still waits in it.
func (s *socket) close() {
	s.mu.Lock()
	s.closed.Store(true)
	s.mu.Unlock()
	s.changed.Broadcast()
	_ = s.raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RD) }) // wakes the reader, though it says ENOTCONN
	<-s.done
	s.file.Close()
	s.pool.close()
	s.watch.stop()
}

// finish closes the socket when what waits in it is answered: new packets go to CoreDNS's own.
// srv is who answers; nil: no one.
func (s *socket) finish(srv *server) {
	if s.steerAway() == nil {
		for range 1000 { // ms
			time.Sleep(time.Millisecond) // also for packets that were on their way when the program changed
			if srv == nil || s.empty() {
				break
			}
		}
	}
	if srv != nil {
		srv.drain(grace)
	}
	s.close()
}

// empty reports whether no packet waits in the socket, and none is being answered.
func (s *socket) empty() bool {
	var size int
	err := s.raw.Control(func(fd uintptr) { size, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return err != nil || size == 0 && !s.busy()
}
