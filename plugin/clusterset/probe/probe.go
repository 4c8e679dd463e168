package probe

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// The defaults of Options. A gateway dies at the earliest when a probe has just succeeded. The
// third probe from there begins after three pauses, each a fifth longer at most, and fails when
// its time is over: 3 x 2.4 s + 1 s = 8.2 s, whatever way it dies. The first probe, at a random
// time of the first interval, makes that no later. One that is back is found after the longest
// pause and a probe: 8.4 s + 1 s = 9.4 s. Both are to be within 10 s.
const (
	defaultInterval = 2 * time.Second
	defaultTimeout  = time.Second
	// A lost SYN is sent again after a second (RFC 6298), which is the timeout: a single probe
	// fails by a lost packet.
	defaultThreshold = 3
	defaultBackoff   = 7 * time.Second
)

// Options are one user's. Users of a URL with the same times and threshold share its prober.
type Options struct {
	// Interval is from the start of a probe to the start of the next one, or up to a fifth more;
	// 0 is 2 s. While the gateway is dead, it is doubled after each probe, up to Backoff; 0 is 7 s.
	Interval, Backoff time.Duration
	// Timeout is a whole probe's; 0 is 1 s.
	Timeout time.Duration
	// Threshold is how many probes in a row must fail for the gateway to be dead; 0 is 3. One that
	// succeeds proves it alive again, as for Kubernetes' probes: it serves, and to leave it out
	// costs more than to try one that flaps.
	Threshold int
	// Changed, if set, is called with each change, and by Start where the gateway is known to be
	// dead; err is why it is. It must neither wait nor call Stop.
	Changed func(alive bool, err error)

	dial dialFunc // a test's
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// key is whose prober is shared.
type key struct {
	url                        string
	interval, backoff, timeout time.Duration
	threshold                  int
}

var targets registry.Registry[key, *target]

// Probe is one user's part in the probing of a URL.
type Probe struct {
	key     key
	target  *target
	changed func(alive bool, err error)
}

// Start begins, or shares, the probing of a URL until Stop: tcp://HOST:PORT, http:// or https://,
// as a document has it. Any other is never alive.
func Start(url string, o Options) *Probe {
	k := key{
		url: url, interval: cmp.Or(o.Interval, defaultInterval), backoff: cmp.Or(o.Backoff, defaultBackoff),
		timeout: cmp.Or(o.Timeout, defaultTimeout), threshold: cmp.Or(o.Threshold, defaultThreshold),
	}
	p := &Probe{key: k, changed: o.Changed}
	p.target, _ = targets.Acquire(k, func() (*target, error) { return startTarget(k, o.dial), nil })
	p.target.add(p)
	return p
}

// Stop ends this user's part; the last one's ends the probing, also a probe under way, and
// returns when it has ended. Changed isn't called after it. Stop is called once.
func (p *Probe) Stop() {
	p.target.remove(p)
	targets.Release(p.key)
}

// Alive reports whether the gateway is alive: true until Threshold probes in a row have failed.
// It is one atomic load.
func (p *Probe) Alive() bool { return !p.target.dead.Load() }

// Status returns what is known of the gateway. It takes no lock.
func (p *Probe) Status() status.Gateway { return *p.target.status.Load() }

// notify calls Changed.
func (p *Probe) notify(alive bool, err error) {
	if p.changed != nil {
		p.changed(alive, err)
	}
}
