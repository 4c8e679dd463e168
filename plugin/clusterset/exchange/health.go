package exchange

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const (
	// probesToDown is how many probes in a row must fail: one may be lost.
	probesToDown = 2
	// probeTimeout is for a datagram; a handshake takes three round trips more.
	probeTimeout, handshakeTimeout = time.Second, 2 * time.Second
	// probePause and probePauseMax are between two probes, doubled each time:
	// an upstream that is back is asked again within 2 seconds, and one that
	// isn't gets a packet a second.
	probePause, probePauseMax = 250 * time.Millisecond, time.Second
)

// health is whether an upstream answers. Queries only raise a suspicion, when
// one fails or is late; a probe settles it. So an upstream that is slow, or
// says SERVFAIL for one name, isn't taken for dead, and a dead one is known
// without a query waiting for it. Nothing is probed that isn't suspected.
type health struct {
	down    atomic.Bool
	probing atomic.Bool

	mu  sync.Mutex
	err error
}

func (h *health) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		return errNoReply
	}
	return h.err
}

// suspect starts probing, if that isn't under way.
func (u *upstream) suspect() {
	if u.health.probing.Swap(true) {
		return
	}
	u.client.spawn(func() {
		defer u.health.probing.Store(false)
		u.probe(u.client.ctx)
	})
}

// probe asks until the upstream answers or the client is closed.
func (u *upstream) probe(ctx context.Context) {
	pause := probePause
	for failed := 0; ; {
		err := u.ping(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			u.setDown(nil)
		} else if failed++; failed >= probesToDown {
			u.setDown(err)
		}
		// Also after success: what raised the suspicion may go on doing so, and
		// must not make a probe of every query.
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		if err == nil {
			return
		}
		pause = min(2*pause, probePauseMax)
	}
}

func (u *upstream) setDown(err error) {
	u.health.mu.Lock()
	u.health.err = err
	u.health.mu.Unlock()
	if u.health.down.Swap(err != nil) == (err != nil) {
		return
	}
	change := 1.0
	if err != nil {
		change = -1
	}
	u.client.options.Metrics.Up.Add(change)
	u.client.options.Metrics.Down.Add(-change)
	u.client.options.Changed(u.address, err)
}

// ping asks for the SOA of the member's domain: cheap for the member, never
// passed on by it, and only a server of that domain says more than REFUSED.
func (u *upstream) ping(ctx context.Context) error {
	q := new(dns.Msg)
	q.SetQuestion(u.client.member.ClusterDomain, dns.TypeSOA)
	timeout := probeTimeout
	if u.address.Encrypted() {
		timeout = handshakeTimeout
	}
	deadline := time.Now().Add(timeout)
	reply, err := u.pingOver(ctx, q, deadline)
	if err != nil {
		return err
	}
	return rcodeFailure(reply)
}

func (u *upstream) pingOver(ctx context.Context, q *dns.Msg, deadline time.Time) (*dns.Msg, error) {
	if u.udp == nil {
		reply, _, err := u.stream.exchange(ctx, q, deadline)
		return reply, err
	}
	w, err := newWire(q)
	if err != nil {
		return nil, err
	}
	reply, _, err := u.udp.exchange(ctx, w, deadline, func() {})
	return reply, err
}
