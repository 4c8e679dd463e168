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
	down atomic.Bool
	// suspected is set by queries, and looked at by the prober, which runs while
	// probing is set.
	suspected, probing atomic.Bool
	// unreachable is set with a suspicion that the kernel or a refused port gave:
	// as good as a failed probe. (Probes alone might miss it: Linux sends a peer
	// one ICMP error a second.)
	unreachable atomic.Bool

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

// suspect has the upstream probed: now, or again where that is under way.
func (u *upstream) suspect() {
	u.health.suspected.Store(true)
	if u.health.probing.Swap(true) {
		return
	}
	u.client.spawn(func() {
		u.probe(u.client.ctx)
		u.health.probing.Store(false)
		if u.health.suspected.Load() { // by a query that saw it still probing
			u.suspect()
		}
	})
}

// probe asks until the upstream answers and nobody suspects it any more, or the
// client is closed.
func (u *upstream) probe(ctx context.Context) {
	pause, failed := probePause, 0
	for ctx.Err() == nil {
		u.health.suspected.Store(false)
		if u.health.unreachable.Swap(false) {
			failed++
		}
		err := u.ping(ctx)
		if err == nil {
			failed, pause = 0, probePause
			u.setDown(nil)
		} else if failed++; failed >= probesToDown && ctx.Err() == nil {
			u.setDown(err)
		}
		wait(ctx, pause/2+rand.N(pause))
		if err == nil && !u.health.suspected.Load() {
			return
		}
		if err != nil {
			pause = min(2*pause, probePauseMax)
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
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
		if u.udp != nil {
			u.udp.fail(err) // what is in flight would only wait out its time
		}
	}
	u.client.options.Metrics.Up.Add(change)
	u.client.options.Metrics.Down.Add(-change)
	u.client.options.Changed(u.address, err)
}

// ping asks for the SOA of the member's domain: cheap for the member, never
// passed on by it, and only a server of that domain says more than REFUSED.
func (u *upstream) ping(ctx context.Context) error {
	q := &Query{Name: u.client.member.ClusterDomain, Type: dns.TypeSOA, RecursionDesired: true}
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

func (u *upstream) pingOver(ctx context.Context, q *Query, deadline time.Time) (*dns.Msg, error) {
	if u.udp == nil {
		reply, _, err := u.stream.exchange(ctx, q, deadline)
		return reply, err
	}
	w, err := newWire(q)
	if err != nil {
		return nil, err
	}
	defer w.free()
	return u.udp.ping(ctx, w, deadline)
}
