package clusterset

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// readiness is how far this instance has come: it is ready when there is a
// ClusterSet and its members' data are there, or were waited for long enough.
type readiness struct {
	// end is when data have been waited for long enough, in Unix nanoseconds: 0
	// until there is a ClusterSet.
	end     atomic.Int64
	settled atomic.Bool
}

// Ready implements the ready plugin's Readiness.
func (p *Clusterset) Ready() bool {
	s := p.snapshot.Load()
	if s == nil {
		return false
	}
	if !p.readiness.settled.Load() {
		waiting := s.unsynced()
		if len(waiting) > 0 && time.Now().UnixNano() < p.readiness.end.Load() {
			return false
		}
		p.readiness.settle(waiting)
	}
	return true
}

func (r *readiness) settle(waiting []string) {
	if !r.settled.Swap(true) && len(waiting) > 0 {
		log.Warningf("No data of %s within %s: ready without, and waiting for them", strings.Join(waiting, ", "), startTimeout)
	}
}

// publish takes up a snapshot.
func (p *Clusterset) publish(s *snapshot) {
	p.readiness.end.CompareAndSwap(0, time.Now().Add(startTimeout).UnixNano())
	p.snapshot.Store(s)
}

// unsynced are the members whose data are still waited for.
func (s *snapshot) unsynced() []string {
	var names []string
	for name, m := range s.members {
		if m.api == nil {
			continue
		}
		select {
		case <-m.api.Synced():
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// waitData holds CoreDNS's start until members' data are there, or ctx ends.
func (p *Clusterset) waitData(ctx context.Context) {
	s := p.snapshot.Load()
	if s == nil {
		return
	}
	if waiting := s.unsynced(); len(waiting) > 0 {
		log.Infof("Waiting for data of %s", strings.Join(waiting, ", "))
	}
	for _, m := range s.members {
		if m.api == nil {
			continue
		}
		select {
		case <-m.api.Synced():
		case <-ctx.Done():
		}
	}
	p.readiness.settle(s.unsynced())
}
