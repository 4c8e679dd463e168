package member

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

type lines []string

func (l *lines) Infof(format string, args ...any)    { *l = append(*l, fmt.Sprintf(format, args...)) }
func (l *lines) Warningf(format string, args ...any) { l.Infof(format, args...) }
func (l *lines) Errorf(format string, args ...any)   { l.Infof(format, args...) }

func testDiary() (*diary, *lines) {
	told := &lines{}
	o := &Options{Name: "c1", Log: told}
	o.Metrics.Expires = prometheus.NewGauge(prometheus.GaugeOpts{})
	for r := range o.Metrics.Troubles {
		o.Metrics.Troubles[r] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	return &diary{o: o}, told
}

// TestToldOnce: trouble is told when it begins and when it changes.
func TestToldOnce(t *testing.T) {
	d, told := testDiary()
	for range 3 {
		d.tell(aboutAPI, &trouble{reason: Unreachable, err: errors.New("refused")})
	}
	d.tell(aboutAPI, &trouble{reason: Timeout, err: errors.New("silence")})
	d.clear(aboutAPI)
	d.clear(aboutAPI)
	if len(*told) != 3 || testutil.ToFloat64(d.o.Metrics.Troubles[Unreachable]) != 1 {
		t.Errorf("%q", *told)
	}
}

func TestExpiryTold(t *testing.T) {
	d, told := testDiary()
	end := time.Now().Add(time.Hour)
	e := expiry{what: "token", begin: end.Add(-10 * time.Hour), end: end}
	for _, at := range []time.Duration{-2 * time.Hour, -time.Minute, -time.Second, time.Second, time.Minute} {
		d.expires(e, end.Add(at))
	}
	if len(*told) != 2 || !strings.Contains((*told)[0], "expires at") || !strings.Contains((*told)[1], "expired at") {
		t.Errorf("%q", *told)
	}
	if got := testutil.ToFloat64(d.o.Metrics.Expires); got != float64(end.Unix()) {
		t.Errorf("expires at %v", got)
	}
	d.expires(expiry{}, time.Now())
	if got := testutil.ToFloat64(d.o.Metrics.Expires); got != 0 {
		t.Errorf("unknown: %v", got)
	}
}
