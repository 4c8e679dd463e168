//go:build e2e

package member

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// Bounds that the package promises.
const (
	staleWithin = 10 * time.Second
	freshWithin = 5 * time.Second
	// settled bounds what takes some milliseconds, and whatever the machine does.
	settled = 10 * time.Second
)

// subject is a Member under test.
type subject struct {
	*member.Member
	t       *testing.T
	metrics member.Metrics

	mu   sync.Mutex
	told []string
}

// startMember starts a Member. The test's end stops it.
func startMember(a *api) *subject {
	a.t.Helper()
	return startMemberWith(a, func(*member.Options) {})
}

func startMemberWith(a *api, adapt func(*member.Options)) *subject {
	t := a.t
	t.Helper()
	s := &subject{t: t, metrics: newMetrics()}
	o := member.Options{Name: "c1", Log: s, Metrics: s.metrics, Gate: make(chan struct{}, 4)}
	adapt(&o)
	s.Member = member.Start(o)
	t.Cleanup(func() {
		began := time.Now()
		s.Stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("Stop took %v", took)
		}
		if t.Failed() {
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Logf("what it told:\n%s", strings.Join(s.told, "\n"))
		}
	})
	return s
}

func newMetrics() member.Metrics {
	m := member.Metrics{
		Lists:       prometheus.NewCounter(prometheus.CounterOpts{}),
		Programming: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "programming"}),
	}
	for i := range m.Troubles {
		m.Troubles[i] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	return m
}

func (s *subject) Infof(format string, args ...any)    { s.tell("info", format, args...) }
func (s *subject) Warningf(format string, args ...any) { s.tell("warning", format, args...) }
func (s *subject) Errorf(format string, args ...any)   { s.tell("error", format, args...) }

func (s *subject) tell(level, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, time.Now().Format("15:04:05.000 ")+level+" "+fmt.Sprintf(format, args...))
}

// hasTold counts the lines of the log that hold all the words.
func (s *subject) hasTold(words ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return harness.Count(s.told, words...)
}

// use gives the Member a kubeconfig file's content, as a Secret would.
func (s *subject) use(path string) {
	s.t.Helper()
	s.SetCredentials(member.Credentials{Kubeconfig: []byte(harness.ReadFile(s.t, path))}, nil)
}

// await waits for the state, and gives how long that took.
func (s *subject) await(limit time.Duration, state member.State) time.Duration {
	s.t.Helper()
	return harness.Eventually(s.t, limit, state.String(), func() error {
		if v := s.View(); v.State != state {
			return fmt.Errorf("%v: %w", v.State, v.Err)
		}
		return nil
	})
}

// awaitService waits until there is a Service of that key, or none.
func (s *subject) awaitService(key string, there bool) time.Duration {
	s.t.Helper()
	return harness.Eventually(s.t, settled, key, func() error {
		service := s.View().Data.Service(key)
		if got := service != nil && service.Type != model.NoService; got != there {
			return fmt.Errorf("there: %v", got)
		}
		return nil
	})
}

// awaitTrouble waits until trouble of that kind is counted, and told in a line with
// these words.
func (s *subject) awaitTrouble(r failure.Reason, words ...string) time.Duration {
	s.t.Helper()
	return harness.Eventually(s.t, staleWithin, r.String(), func() error {
		if testutil.ToFloat64(s.metrics.Troubles[r]) == 0 || s.hasTold(append(words, "warning", r.String())...) == 0 {
			return fmt.Errorf("not told")
		}
		return nil
	})
}
