//go:build e2e && linux

package netns

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
)

// packetSize is more than a packet of a test has.
const packetSize = 4096

// relay stands at an address in a cluster and passes questions on to a server
// there, and its replies back as a lie wants them.
type relay struct {
	c          *cluster
	at, server string // addresses; port 53 of them
	lie        atomic.Pointer[lie]
	replies    atomic.Int64

	mu      sync.Mutex // guards open, and begin against stop
	open    map[io.Closer]struct{}
	stopped bool
	running sync.WaitGroup
}

// client is one who asks over UDP.
type client struct {
	addr netip.AddrPort
	// asked is the relay's port, stranger another one, which nobody has asked.
	asked, stranger *net.UDPConn
}

func (c client) send(packet []byte)  { _, _ = c.asked.WriteToUDPAddrPort(packet, c.addr) } // lost, as packets are
func (c client) forge(packet []byte) { _, _ = c.stranger.WriteToUDPAddrPort(packet, c.addr) }

// startRelay starts an honest one; the test's end stops it.
func (c *cluster) startRelay(t testing.TB, at, server string) *relay {
	t.Helper()
	r := &relay{c: c, at: at, server: server}
	r.lie.Store(honest)
	r.start(t)
	t.Cleanup(r.stop)
	return r
}

// start opens the relay's port.
func (r *relay) start(t testing.TB) {
	t.Helper()
	r.open, r.stopped = make(map[io.Closer]struct{}), false
	var asked, stranger *net.UDPConn
	var listener net.Listener
	var err error
	listen := func(address string) (conn *net.UDPConn) {
		if err == nil {
			conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
		}
		return conn
	}
	inside := r.c.ns.inside(func() {
		asked, stranger = listen(r.at+":53"), listen(r.at+":0")
		if err == nil {
			listener, err = net.Listen("tcp", r.at+":53")
		}
	})
	if inside != nil || err != nil {
		t.Fatalf("relay: %v, %v", inside, err)
	}
	r.begin(func() { r.passPackets(asked, stranger) }, asked, stranger)
	r.begin(func() { r.accept(listener) }, listener)
}

// stop closes the port, and all connections.
func (r *relay) stop() {
	r.mu.Lock()
	r.stopped = true
	for c := range r.open {
		_ = c.Close() // closed by its other end
	}
	r.mu.Unlock()
	r.running.Wait()
}

// begin runs f, which ends when what it uses is closed. It is false, and all of
// that closed, when the relay has stopped.
func (r *relay) begin(f func(), uses ...io.Closer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		closeAll(uses)
		return false
	}
	for _, c := range uses {
		r.open[c] = struct{}{}
	}
	r.running.Go(func() {
		f()
		closeAll(uses)
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range uses {
			delete(r.open, c)
		}
	})
	return true
}

func closeAll(closers []io.Closer) {
	for _, c := range closers {
		_ = c.Close() // closed before
	}
}

// passPackets has a socket to the server for each client.
func (r *relay) passPackets(asked, stranger *net.UDPConn) {
	servers := make(map[netip.AddrPort]net.Conn)
	buf := make([]byte, packetSize)
	for {
		n, addr, err := asked.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		server := servers[addr]
		if server == nil {
			if server, err = r.dial("udp"); err != nil {
				continue // the client asks again
			}
			if !r.begin(func() { r.passReplies(server, client{addr, asked, stranger}) }, server) {
				return
			}
			servers[addr] = server
		}
		if _, err := server.Write(buf[:n]); err != nil { // its port was closed meanwhile
			delete(servers, addr)
		}
	}
}

func (r *relay) passReplies(server net.Conn, to client) {
	for {
		buf := make([]byte, packetSize) // a lie may keep it
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		r.replies.Add(1)
		r.lie.Load().packet(to, buf[:n])
	}
}

func (r *relay) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := r.dial("tcp")
		if err != nil {
			conn.Close()
			continue
		}
		gone := make(chan struct{})
		r.begin(func() {
			_, _ = io.Copy(server, conn) // ends with either
			close(gone)
		}, conn, server)
		r.begin(func() { r.passFrames(conn, server, gone) }, conn, server)
	}
}

func (r *relay) passFrames(conn, server net.Conn, gone <-chan struct{}) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(server, size[:]); err != nil {
			return
		}
		reply := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(server, reply); err != nil {
			return
		}
		r.replies.Add(1)
		r.lie.Load().frame(conn, reply, gone)
	}
}

func (r *relay) dial(network string) (net.Conn, error) {
	return r.c.ns.dial(network, net.JoinHostPort(r.server, "53"), askTimeout)
}
