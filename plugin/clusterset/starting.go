package clusterset

import (
	"sync"
	"time"

	"github.com/coredns/caddy"
)

// startingSet are the plugins that were started for a Corefile which isn't served
// yet. Caddy drops the new instance of a failed reload (a port in use, another
// plugin's error) without a call to it; the old one gets one, and ends them.
type startingSet struct {
	mu      sync.Mutex
	plugins map[*Clusterset]struct{}
	// end is when the first of them to wait has waited enough; they wait together.
	end time.Time
}

var starting = startingSet{plugins: make(map[*Clusterset]struct{})}

func init() {
	caddy.RegisterEventHook(pluginName, func(event caddy.EventName, _ any) error {
		if event == caddy.InstanceStartupEvent { // all that was started is served
			starting.takeAll()
			generation.Add(1)
		}
		return nil
	})
}

// stopStarting is the old instance's OnRestartFailed.
func stopStarting() error {
	for p := range starting.takeAll() {
		p.stop()
	}
	return nil
}

func (u *startingSet) add(p *Clusterset) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.plugins[p] = struct{}{}
}

func (u *startingSet) remove(p *Clusterset) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.plugins, p)
}

// deadline ends the wait of all server blocks of one Corefile.
func (u *startingSet) deadline() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.end.IsZero() {
		u.end = time.Now().Add(startTimeout)
	}
	return u.end
}

func (u *startingSet) takeAll() map[*Clusterset]struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.plugins
	u.plugins, u.end = make(map[*Clusterset]struct{}), time.Time{}
	return all
}
