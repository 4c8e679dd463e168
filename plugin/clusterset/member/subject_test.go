package member

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// from returns the credentials for an API.
func from(a *apitest.API) Credentials { return Credentials{Kubeconfig: a.Kubeconfig()} }

// subject is a Member under test, with what it logged.
type subject struct {
	*Member
	t       *testing.T
	metrics Metrics

	mu     sync.Mutex
	logged []string
}

func startMember(t *testing.T) *subject {
	t.Helper()
	return start(t, Options{Name: "c1"})
}

// start starts a Member of those Options, whose log and metrics are the test's.
func start(t *testing.T, o Options) *subject {
	t.Helper()
	s := &subject{t: t}
	s.metrics = Metrics{
		Lists:       prometheus.NewCounter(prometheus.CounterOpts{}),
		Programming: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "programming"}),
	}
	for i := range s.metrics.Troubles {
		s.metrics.Troubles[i] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	o.Log, o.Metrics, o.Gate = s, s.metrics, make(chan struct{}, 4)
	s.Member = Start(o)
	t.Cleanup(s.Stop)
	return s
}

func (s *subject) Infof(format string, args ...any)    { s.log(format, args...) }
func (s *subject) Warningf(format string, args ...any) { s.log(format, args...) }
func (s *subject) Errorf(format string, args ...any)   { s.log(format, args...) }

func (s *subject) log(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logged = append(s.logged, fmt.Sprintf(format, args...))
}

func (s *subject) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.logged...)
}

// await waits until a line that it logged has the words.
func (s *subject) await(words ...string) {
	s.t.Helper()
	s.until(strings.Join(words, " ... "), func() bool {
		for _, line := range s.lines() {
			found := true
			for _, w := range words {
				found = found && strings.Contains(line, w)
			}
			if found {
				return true
			}
		}
		return false
	})
}

// until waits for what takes some seconds at most, however busy the machine is.
func (s *subject) until(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: not within a minute; logged: %q, view: %+v", what, s.lines(), s.View())
		}
	}
}
