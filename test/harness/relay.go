package harness

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// dialTimeout bounds a connection to the server.
	dialTimeout = 5 * time.Second
	// packetSize is more than a packet of a test has.
	packetSize = 4096
)

// Relay stands before a server: it passes on what comes at its address, and what
// the server answers. Its fields are set before Start.
type Relay struct {
	// Addr and Server are HOST:PORT.
	Addr, Server string
	// Inside, where set, runs what opens sockets, in a network namespace.
	Inside func(func()) error
	// Packet, where set, has UDP relayed: it is called with each reply and may keep it.
	Packet func(to Peer, reply []byte)
	// Message, where set, is called with each DNS message that the server answers
	// over TCP, one at a time for a connection. gone is closed when the client has
	// closed that. Without it, bytes are passed on as they are.
	Message func(client net.Conn, reply []byte, gone <-chan struct{})

	replies, conns  atomic.Int64
	losing, hangsUp atomic.Bool
	mu              sync.Mutex    // guards what follows, and begin against Stop
	silent          chan struct{} // closed when a silence ends
	open            map[io.Closer]struct{}
	stopped         bool
	running         sync.WaitGroup
}

// Peer is a client that asks over UDP.
type Peer struct {
	addr            netip.AddrPort
	asked, stranger *net.UDPConn
}

// Send sends a packet from the port that was asked. It may be lost, as packets are.
func (p Peer) Send(packet []byte) { _, _ = p.asked.WriteToUDPAddrPort(packet, p.addr) }

// Forge sends a packet from a port that nobody has asked.
func (p Peer) Forge(packet []byte) { _, _ = p.stranger.WriteToUDPAddrPort(packet, p.addr) }

// Start opens the port, for the first time or after a Stop.
func (r *Relay) Start() error {
	r.mu.Lock()
	r.open, r.stopped = make(map[io.Closer]struct{}), false
	r.mu.Unlock()
	var listener net.Listener
	var asked, stranger *net.UDPConn
	err := r.inside(func() (err error) {
		if listener, err = net.Listen("tcp", r.Addr); err != nil || r.Packet == nil {
			return err
		}
		at := netip.MustParseAddrPort(r.Addr)
		if asked, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)); err != nil {
			return err
		}
		stranger, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), 0)))
		return err
	})
	if err != nil {
		return err
	}
	r.begin(func() { r.accept(listener) }, listener)
	if r.Packet != nil {
		r.begin(func() { r.passPackets(asked, stranger) }, asked, stranger)
	}
	return nil
}

func (r *Relay) dial(network string) (conn net.Conn, err error) {
	err = r.inside(func() (err error) {
		conn, err = net.DialTimeout(network, r.Server, dialTimeout)
		return err
	})
	return conn, err
}

func (r *Relay) inside(f func() error) (err error) {
	if r.Inside == nil {
		return f()
	}
	if inside := r.Inside(func() { err = f() }); inside != nil {
		return inside
	}
	return err
}

// Stop closes the port, and all connections. It ends a silence.
func (r *Relay) Stop() {
	r.Resume()
	r.mu.Lock()
	r.stopped = true
	for c := range r.open {
		_ = c.Close() // closed by its other end
	}
	r.mu.Unlock()
	r.running.Wait()
}

// Silence lets nothing through any more: connections stay open, new ones are
// accepted, and nobody ever answers.
func (r *Relay) Silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent == nil {
		r.silent = make(chan struct{})
	}
}

// Resume lets through what a silence held up, and all that follows.
func (r *Relay) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent != nil {
		close(r.silent)
		r.silent = nil
	}
}

// Lose drops what is sent into connections, both ways, for as long as yes says.
func (r *Relay) Lose(yes bool) { r.losing.Store(yes) }

// HangUp closes all connections, and new ones as soon as they are accepted, for as
// long as yes says: a load balancer that has nobody behind it.
func (r *Relay) HangUp(yes bool) {
	r.hangsUp.Store(yes)
	if yes {
		r.Disconnect()
	}
}

// Disconnect closes all connections, as a load balancer's restart does.
func (r *Relay) Disconnect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		if conn, ok := c.(*net.TCPConn); ok {
			_ = conn.Close() // closed by its other end
		}
	}
}

// Conns returns how many connections clients have.
func (r *Relay) Conns() int { return int(r.conns.Load()) }

// Replies returns how many packets and messages the server has sent. Without Message,
// what comes over TCP isn't counted.
func (r *Relay) Replies() int { return int(r.replies.Load()) }

// begin runs f, which ends when what it uses is closed. It returns false, and closes
// all of that, when the relay has stopped.
func (r *Relay) begin(f func(), uses ...io.Closer) bool {
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
func (r *Relay) passPackets(asked, stranger *net.UDPConn) {
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
			if !r.begin(func() { r.passReplies(server, Peer{addr, asked, stranger}) }, server) {
				return
			}
			servers[addr] = server
		}
		if _, err := server.Write(buf[:n]); err != nil { // its port was closed meanwhile
			delete(servers, addr)
		}
	}
}

func (r *Relay) passReplies(server net.Conn, to Peer) {
	for {
		buf := make([]byte, packetSize) // Packet may keep it
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		r.replies.Add(1)
		r.Packet(to, buf[:n])
	}
}

func (r *Relay) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		if r.hangsUp.Load() {
			conn.Close()
			continue
		}
		r.begin(func() { r.connect(conn) })
	}
}

func (r *Relay) connect(conn net.Conn) {
	server, err := r.dial("tcp")
	if err != nil {
		conn.Close()
		return
	}
	gone := make(chan struct{})
	r.begin(func() {
		r.conns.Add(1)
		r.passBytes(conn, server)
		r.conns.Add(-1)
		close(gone)
	}, conn, server)
	if r.Message == nil {
		r.begin(func() { r.passBytes(server, conn) }, conn, server)
	} else {
		r.begin(func() { r.passMessages(server, conn, gone) }, conn, server)
	}
}

// passBytes passes them on until either side ends. While the relay is silent, that
// is silent as well.
func (r *Relay) passBytes(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.awaitResume()
		if n > 0 && !r.losing.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *Relay) awaitResume() {
	for {
		r.mu.Lock()
		silent := r.silent
		r.mu.Unlock()
		if silent == nil {
			return
		}
		<-silent
	}
}

func (r *Relay) passMessages(from, to net.Conn, gone <-chan struct{}) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		reply := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(from, reply); err != nil {
			return
		}
		r.replies.Add(1)
		r.Message(to, reply, gone)
	}
}
