package member

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

type lines []string

func (l *lines) Infof(format string, args ...any)    { *l = append(*l, fmt.Sprintf(format, args...)) }
func (l *lines) Warningf(format string, args ...any) { l.Infof(format, args...) }
func (l *lines) Errorf(format string, args ...any)   { l.Infof(format, args...) }

func testConditions() (*conditions, *lines) {
	logged := &lines{}
	o := &Options{Name: "c1", Log: logged}
	o.Metrics.Expires = prometheus.NewGauge(prometheus.GaugeOpts{})
	for r := range o.Metrics.Troubles {
		o.Metrics.Troubles[r] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	return &conditions{o: o}, logged
}

// TestLoggedOnce: a failure is logged when it begins and when its reason changes.
func TestLoggedOnce(t *testing.T) {
	c, logged := testConditions()
	for range 3 {
		c.set(aboutAPI, &failure{reason: Unreachable, err: errors.New("refused")})
	}
	c.set(aboutAPI, &failure{reason: Timeout, err: errors.New("silence")})
	c.clear(aboutAPI)
	c.clear(aboutAPI)
	if len(*logged) != 3 || testutil.ToFloat64(c.o.Metrics.Troubles[Unreachable]) != 1 {
		t.Errorf("%q", *logged)
	}
}

func TestExpiryLogged(t *testing.T) {
	c, logged := testConditions()
	end := time.Now().Add(time.Hour)
	e := credentials.Expiry{What: "token", Begin: end.Add(-10 * time.Hour), End: end}
	for _, at := range []time.Duration{-2 * time.Hour, -time.Minute, -time.Second, time.Second, time.Minute} {
		c.setExpiry(e, end.Add(at))
	}
	if len(*logged) != 2 || !strings.Contains((*logged)[0], "expires at") || !strings.Contains((*logged)[1], "expired at") {
		t.Errorf("%q", *logged)
	}
	if got := testutil.ToFloat64(c.o.Metrics.Expires); got != float64(end.Unix()) {
		t.Errorf("expires at %v", got)
	}
	c.setExpiry(credentials.Expiry{}, time.Now())
	if got := testutil.ToFloat64(c.o.Metrics.Expires); got != 0 {
		t.Errorf("unknown: %v", got)
	}
}
