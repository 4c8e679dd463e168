//go:build e2e

package data

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// link is what lies between the clusterset servers and a member's API: a TCP relay
// that can be cut while the API itself, and who writes to it, go on.
type link struct {
	t      *testing.T
	addr   string // its own
	target string // the API's

	mu       sync.Mutex
	open     *sync.Cond // signalled when the link is no longer silent
	silenced bool
	hungUp   bool
	listener net.Listener
	conns    map[net.Conn]struct{}
}

// startLink gives a link to the member's API, and the text of a kubeconfig that
// uses it. The API's certificate is for the address, whatever the port.
func startLink(t *testing.T, c *cluster) (l *link, kubeconfig string) {
	t.Helper()
	server := c.up.Server(c.name)
	l = &link{
		t: t, addr: harness.FreeAddr(t, "127.0.0.1").String(), target: strings.TrimPrefix(server, "https://"),
		conns: make(map[net.Conn]struct{}),
	}
	l.open = sync.NewCond(&l.mu)
	l.listen()
	t.Cleanup(l.refuse)
	return l, strings.Replace(c.kubeconfig(), server, "https://"+l.addr, 1)
}

// listen takes connections, for the first time and after a refuse.
func (l *link) listen() {
	l.t.Helper()
	listener, err := net.Listen("tcp", l.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	l.listener = listener
	l.mu.Unlock()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go l.relay(conn)
		}
	}()
}

// silence lets nothing through any more: connections stay open, new ones are
// taken, and nobody ever answers.
func (l *link) silence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silenced = true
}

// resume lets through what was held up, and all that follows.
func (l *link) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silenced = false
	l.open.Broadcast()
}

// refuse closes all connections and takes no new ones.
func (l *link) refuse() {
	l.listener.Close()
	l.closeAll()
}

// hangUp closes all connections, and new ones as soon as they are taken: a load
// balancer that has nobody behind it.
func (l *link) hangUp() { l.setHungUp(true); l.closeAll() }

// pickUp ends that.
func (l *link) pickUp() { l.setHungUp(false) }

func (l *link) setHungUp(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hungUp = yes
}

func (l *link) closeAll() {
	l.resume()
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		conn.Close()
	}
}

// taken counts the connections that are open.
func (l *link) taken() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns) / 2
}

func (l *link) relay(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer to.Close()
	if !l.keep(from, to) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.copy(from, to) })
	both.Go(func() { l.copy(to, from) })
	both.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, from)
	delete(l.conns, to)
}

// keep notes a pair of connections, unless none are wanted.
func (l *link) keep(from, to net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hungUp {
		return false
	}
	l.conns[from], l.conns[to] = struct{}{}, struct{}{}
	return true
}

// copy moves bytes, unless the link is silent, until either side ends. The end is
// told only when the link isn't silent: a partition hides that as well.
func (l *link) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		for l.silenced {
			l.open.Wait()
		}
		l.mu.Unlock()
		if n > 0 {
			if _, wrong := to.Write(buffer[:n]); wrong != nil {
				err = io.EOF
			}
		}
		if err != nil {
			to.Close()
			from.Close()
			return
		}
	}
}
