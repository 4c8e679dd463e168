package batch

import (
	"net"
	"slices"
	"sync"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/reuseport"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"
)

// grace is how long queries in flight may take when a server ends, as with CoreDNS's own.
const grace = 5 * time.Second

// sockets are those of this process.
var sockets struct {
	mu   sync.Mutex
	by   map[string]*socket // by the address of CoreDNS's server
	next *instance          // that is starting
}

// An instance is all servers of a Corefile, from its start to its end. What changes of it is
// guarded by sockets.mu.
type instance struct {
	configs []*dnsserver.Config // of the server blocks that say batch
	servers map[string]*server  // that have a socket, by address
	came    map[string]bool     // addresses whose servers serve
	stopped bool
}

// instanceKey is that of an instance in caddy's.
type instanceKey struct{}

func init() {
	caddy.RegisterEventHook("batch", func(event caddy.EventName, info any) error {
		if of, ok := info.(*caddy.Instance); ok && event == caddy.InstanceStartupEvent {
			if i, ok := of.Storage[instanceKey{}].(*instance); ok {
				i.started()
				// Before the plugins end, which answer for it.
				of.OnShutdown = slices.Insert(of.OnShutdown, 0, i.stop)
			}
		}
		return nil
	})
}

// serveInBatches has the servers of a server block's addresses read by sockets of ours.
func serveInBatches(c *caddy.Controller, config *dnsserver.Config) {
	i, ok := c.Get(instanceKey{}).(*instance)
	if !ok {
		i = &instance{servers: map[string]*server{}, came: map[string]bool{}}
		c.Set(instanceKey{}, i)
		c.OnStartup(i.starting)
		c.OnRestartFailed(func() error { restartFailed(); return nil })
	}
	i.configs = append(i.configs, config)
	decorator := config.UDPDecorateWriterFunc
	config.UDPDecorateWriterFunc = func(s *dnsserver.Server) dns.DecorateWriter {
		var decorate dns.DecorateWriter
		if decorator != nil {
			decorate = decorator(s)
		}
		if err := i.serve(s, decorate); err != nil {
			log.Warningf("%s: %v; its packets are read one at a time", s.Addr, err)
		}
		return decorate
	}
}

// starting is called before the servers start: in a reload, while the old one's serve.
func (i *instance) starting() error {
	sockets.mu.Lock()
	defer sockets.mu.Unlock()
	sockets.next = i
	return nil
}

func restartFailed() {
	sockets.mu.Lock()
	defer sockets.mu.Unlock()
	sockets.next = nil
}

// socketsAt returns how many sockets CoreDNS has at an address that i serves; 0: it serves none
// there.
func (i *instance) socketsAt(address string) (own int) {
	for _, config := range i.configs {
		for _, host := range config.ListenHosts {
			a, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, config.Port))
			if err == nil && config.Transport+"://"+a.String() == address {
				own = max(own, config.NumSockets, 1)
			}
		}
	}
	return own
}

// serve has s answer what the socket of its address reads. It's called as s starts to serve.
func (i *instance) serve(s *dnsserver.Server, decorate dns.DecorateWriter) error {
	accept, err := accepts(s)
	if err != nil {
		return err
	}
	sockets.mu.Lock()
	defer sockets.mu.Unlock()
	if i.came[s.Addr] || i.stopped {
		return nil // multisocket: one of ours is enough
	}
	i.came[s.Addr] = true
	srv := &server{dns: s, accept: accept, decorate: decorate, metrics: newCounts(s.Addr)}
	of, ok := sockets.by[s.Addr]
	if !ok {
		if of, err = listen(s.Addr, i.socketsAt(s.Addr)); err != nil {
			return err
		}
	}
	srv.socket, srv.local = of, of.local
	of.serve(srv)
	if !ok {
		of.start()
		if sockets.by == nil {
			sockets.by = map[string]*socket{}
		}
		sockets.by[s.Addr] = of
	}
	i.servers[s.Addr] = srv
	return nil
}

// listen opens a socket at the address of one of CoreDNS's servers, which has own sockets there.
func listen(name string, own int) (*socket, error) {
	address := name[len(transport.DNS+"://"):]
	if _, port, _ := net.SplitHostPort(address); port == "0" {
		return nil, errNoPort
	}
	conn, err := reuseport.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	return newSocket(name, conn.(*net.UDPConn), own)
}

// started is called when all servers serve, and those of before, in a reload, have ended: the
// sockets' places may be others.
func (i *instance) started() {
	sockets.mu.Lock()
	defer sockets.mu.Unlock()
	sockets.next = nil
	for _, of := range sockets.by {
		of.steering.look()
	}
}

// stop ends i's part in its sockets. Those that the next instance serves wait for it.
func (i *instance) stop() error {
	sockets.mu.Lock()
	i.stopped = true
	for address, srv := range i.servers {
		of := srv.socket
		switch mine := of.serving.Load() == srv; {
		case mine && sockets.next != nil && sockets.next.socketsAt(address) > 0:
			of.serve(nil)
			time.AfterFunc(grace, func() { abandoned(address, of) })
		case mine:
			of.finish(srv)
			delete(sockets.by, address)
		}
	}
	sockets.mu.Unlock()
	for _, srv := range i.servers { // as no one changes them any more
		srv.drain(grace)
	}
	return nil
}

// abandoned ends a socket that no new server came for.
func abandoned(address string, of *socket) {
	sockets.mu.Lock()
	defer sockets.mu.Unlock()
	if sockets.by[address] == of && of.serving.Load() == nil {
		log.Warningf("%s: its new server doesn't read in batches; its packets are read one at a time", address)
		of.finish(nil)
		delete(sockets.by, address)
	}
}
