package conditions

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

type lines []string

func (l *lines) Infof(format string, args ...any)    { *l = append(*l, fmt.Sprintf(format, args...)) }
func (l *lines) Warningf(format string, args ...any) { l.Infof(format, args...) }
func (l *lines) Errorf(format string, args ...any)   { l.Infof(format, args...) }

func testConditions() (*Conditions, *lines) {
	logged := &lines{}
	counters := Counters{}
	for r := range counters.Troubles {
		counters.Troubles[r] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	c := New("Member c1", logged, counters)
	return &c, logged
}

// TestLoggedOnce: a failure is logged when it begins and when its reason changes.
func TestLoggedOnce(t *testing.T) {
	c, logged := testConditions()
	for range 3 {
		c.Set(API, &failure.Failure{Reason: failure.Unreachable, Err: errors.New("refused")})
	}
	c.Set(API, &failure.Failure{Reason: failure.Timeout, Err: errors.New("silence")})
	c.Clear(API)
	c.Clear(API)
	if len(*logged) != 3 || testutil.ToFloat64(c.counters.Troubles[failure.Unreachable]) != 1 {
		t.Errorf("%q", *logged)
	}
}

func TestExpiryLogged(t *testing.T) {
	c, logged := testConditions()
	end := time.Now().Add(time.Hour)
	e := credentials.Expiry{What: "token", Begin: end.Add(-10 * time.Hour), End: end}
	for _, at := range []time.Duration{-2 * time.Hour, -time.Minute, -time.Second, time.Second, time.Minute} {
		c.SetExpiry(e, end.Add(at))
	}
	if len(*logged) != 2 || !strings.Contains((*logged)[0], "expires at") || !strings.Contains((*logged)[1], "expired at") {
		t.Errorf("%q", *logged)
	}
	if got := c.Status().Credentials.Expires; !got.Equal(end) {
		t.Errorf("expires at %v", got)
	}
	c.SetExpiry(credentials.Expiry{}, time.Now())
	if got := c.Status().Credentials.Expires; !got.IsZero() {
		t.Errorf("unknown: %v", got)
	}
}
