package clusterset

import (
	"context"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// What is kept of the last minutes, for each member.
const (
	samplePause = 5 * time.Second
	maxSamples  = 60
)

// recent are samples of members, taken while a status is served. Who asks gets copies.
type recent struct {
	mu       sync.Mutex
	byMember map[string]*samples
}

// samples are one member's, oldest first.
type samples struct {
	all []status.Sample
	// replies and failures are the counts at the last one.
	replies, failures float64
}

// sample takes samples until ctx ends.
func (s *statusServer) sample(ctx context.Context) {
	ticker := time.NewTicker(samplePause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.recent.take(s.current(), now)
		}
	}
}

// take takes one of each member, and forgets the members that have left.
func (r *recent) take(stanzas []*Clusterset, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make(map[string]*samples)
	for _, p := range stanzas {
		set := p.resolver.Members()
		if set == nil {
			continue
		}
		for _, m := range set.Sorted() {
			if next[m.Name] != nil { // its series are shared
				continue
			}
			next[m.Name] = r.byMember[m.Name].plus(m, now)
		}
	}
	r.byMember = next
}

// plus returns the samples and a new one; nil has none.
func (s *samples) plus(m *members.Member, now time.Time) *samples {
	replies, failures := m.Metrics.(*memberMetrics).replies() // acquireMetrics made it
	if s == nil {                                             // what was before isn't of the last seconds
		return &samples{replies: replies, failures: failures}
	}
	sample := status.Sample{Time: now, Queries: int(replies - s.replies), Failures: int(failures - s.failures)}
	if m.Client != nil {
		for _, u := range m.Client.Status().Upstreams {
			if u.State == status.Up && (sample.MedianSeconds == 0 || u.MedianSeconds > 0 && u.MedianSeconds < sample.MedianSeconds) {
				sample.MedianSeconds, sample.P95Seconds = u.MedianSeconds, u.P95Seconds
			}
		}
	}
	if len(s.all) == maxSamples {
		s.all = slices.Delete(s.all, 0, 1)
	}
	s.all = append(s.all, sample)
	s.replies, s.failures = replies, failures
	return s
}

// of returns those of a member.
func (r *recent) of(name string) []status.Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.byMember[name]; s != nil {
		return slices.Clone(s.all)
	}
	return nil
}

// replies returns how many there were about the member's names, and how many of them were
// failures.
func (m *memberMetrics) replies() (all, failures float64) {
	for source := range m.responses {
		for rcode := range m.responses[source] {
			bound := m.responses[source][rcode].Load()
			if bound == nil {
				continue
			}
			var value dto.Metric
			if err := (*bound).Write(&value); err != nil {
				continue
			}
			n := value.GetCounter().GetValue()
			all += n
			if rcode != dns.RcodeSuccess && rcode != dns.RcodeNameError {
				failures += n
			}
		}
	}
	return all, failures
}
