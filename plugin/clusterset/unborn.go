package clusterset

import (
	"sync"
	"time"

	"github.com/coredns/caddy"
)

// unbornSet are the plugins that were started for a Corefile which isn't served
// yet. Caddy drops the new instance of a failed reload (a port in use, another
// plugin's error) without a word to it; the old one is told, and ends them.
type unbornSet struct {
	mu      sync.Mutex
	plugins map[*Clusterset]struct{}
	// end is when the first of them to wait has waited enough; they wait together.
	end time.Time
}

var unborn = unbornSet{plugins: make(map[*Clusterset]struct{})}

func init() {
	caddy.RegisterEventHook(pluginName, func(event caddy.EventName, _ any) error {
		if event == caddy.InstanceStartupEvent { // all that was started is served
			unborn.take()
		}
		return nil
	})
}

// shutdownUnborn is the old instance's OnRestartFailed.
func shutdownUnborn() error {
	for p := range unborn.take() {
		p.stop()
	}
	return nil
}

func (u *unbornSet) add(p *Clusterset) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.plugins[p] = struct{}{}
}

func (u *unbornSet) remove(p *Clusterset) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.plugins, p)
}

// deadline ends the wait of all server blocks of one Corefile.
func (u *unbornSet) deadline() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.end.IsZero() {
		u.end = time.Now().Add(startTimeout)
	}
	return u.end
}

func (u *unbornSet) take() map[*Clusterset]struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.plugins
	u.plugins, u.end = make(map[*Clusterset]struct{}), time.Time{}
	return taken
}
