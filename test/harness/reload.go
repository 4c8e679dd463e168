//go:build e2e

package harness

import (
	"fmt"
	"syscall"
	"time"
)

// Reloaded is what CoreDNS says at the end of a reload, notReloaded at that of one
// that failed.
const Reloaded, notReloaded = "Reloading complete", "[ERROR] SIGUSR1: "

// reloadLimit bounds a reload. What lasts longer hides the next one: CoreDNS
// takes up one at a time.
const reloadLimit = 5 * time.Second

// Reload has the Corefile read again, and waits until it is in force.
func (p *Process) Reload() { p.t.Helper(); p.reload(Reloaded) }

// FailToReload is Reload with a Corefile that can't be put in force.
func (p *Process) FailToReload() { p.t.Helper(); p.reload(notReloaded) }

func (p *Process) reload(end string) {
	p.t.Helper()
	before := p.Logged(end)
	p.signal(syscall.SIGUSR1)
	Eventually(p.t, reloadLimit, p.name+": reload", func() error {
		if p.Logged(end) == before {
			return fmt.Errorf("no %q", end)
		}
		return nil
	})
}
