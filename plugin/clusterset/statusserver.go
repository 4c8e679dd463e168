package clusterset

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns/caddy"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/statuspage"
)

// defaultStatus is where statuses are served when no address is given: only to this machine,
// or pod, and who has a port-forward to it.
const defaultStatus = "127.0.0.1:9154"

// statusServers are by their addresses. Stanzas share one, and so do the old and the new
// instance of a reload: the listener stays.
var statusServers registry.Registry[string, *statusServer]

// generation counts the Corefiles that were served. While one is reloaded, the stanzas of the
// new one are shown, not those of both.
var generation atomic.Int64

// statusServer serves the statuses of stanzas. It is a statuspage.Source.
type statusServer struct {
	recent  recent
	server  *statuspage.Server
	stop    context.CancelFunc
	running sync.WaitGroup
	stanzas plugins // in the order of the Corefile
}

var _ statuspage.Source = (*statusServer)(nil)

// startStatus serves the stanza's status, if it is to.
func (p *Clusterset) startStatus() error {
	address := p.options.status
	if address == "" {
		return nil
	}
	s, err := statusServers.Acquire(address, func() (*statusServer, error) { return newStatusServer(address) })
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	s.stanzas.add(p)
	p.stopStatus = sync.OnceFunc(func() {
		s.stanzas.remove(p)
		statusServers.Release(address)
	})
	return nil
}

func newStatusServer(address string) (*statusServer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &statusServer{}
	host, _, _ := net.SplitHostPort(address) // it was listened on
	s.server = statuspage.Serve(listener, statuspage.NewHandler(s, host))
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.running.Go(func() { s.sample(ctx) })
	return s, nil
}

// Close implements registry.Value.
func (s *statusServer) Close() {
	s.stop()
	s.server.Close()
	s.running.Wait()
}

// current returns the stanzas of the newest Corefile.
func (s *statusServer) current() (newest []*Clusterset) {
	for _, p := range s.stanzas.list() {
		if len(newest) > 0 && p.generation > newest[0].generation {
			newest = nil
		}
		newest = append(newest, p)
	}
	return newest
}

// Statuses implements statuspage.Source.
func (s *statusServer) Statuses() status.Process {
	host, _ := os.Hostname() // "" says as much
	all := status.Process{
		Version: caddy.AppName + "-" + caddy.AppVersion, Host: host, Time: time.Now(), Started: processStart, Stanzas: []status.Stanza{},
	}
	for _, p := range s.current() {
		stanza := p.Status()
		for i := range stanza.Members {
			m := &stanza.Members[i]
			m.Recent = s.recent.of(m.Name)
		}
		all.Stanzas = append(all.Stanzas, stanza)
	}
	return all
}
