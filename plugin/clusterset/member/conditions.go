package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

// What a condition may be about, besides the resources.
const (
	aboutAPI        = "api"
	aboutKubeconfig = "kubeconfig"
)

// conditions are what is wrong with a member's API now. A failure is logged and counted
// when it begins and when its reason changes, not with every retry. They are under the
// Member's lock.
type conditions struct {
	o      *Options
	failed map[string]*failure // by what they are about
	// lastError is the text of the newest failure, which may be over.
	lastError string
	lastTime  time.Time
	expiry    credentials.Expiry
	// warned and expired report what was logged about the expiry.
	warned, expired bool
	// mcsServed is whether the API serves ServiceExports, or ServiceImports, once that is
	// known.
	mcsKnown, mcsServed bool
	insecure            bool
}

// set notes a failure.
func (c *conditions) set(about string, f *failure) {
	last := c.failed[about]
	if c.failed == nil {
		c.failed = make(map[string]*failure)
	}
	c.failed[about], c.lastError, c.lastTime = f, f.Error(), time.Now()
	if last != nil && last.reason == f.reason {
		return
	}
	c.o.Metrics.Troubles[f.reason].Inc()
	of := about
	if f.resource != "" {
		of = f.resource
	}
	c.o.Log.Warningf("%s: %s: %s: %v%s", c.o.subject(), of, f.reason, f.err, f.advice())
}

// clear notes that a failure is over.
func (c *conditions) clear(about string) {
	if c.failed[about] != nil {
		delete(c.failed, about)
		c.o.Log.Infof("%s: %s: recovered", c.o.subject(), about)
	}
}

// clearResources drops the failures of a session that is over.
func (c *conditions) clearResources() {
	for about := range c.failed {
		if about != aboutAPI && about != aboutKubeconfig {
			delete(c.failed, about)
		}
	}
}

// worst returns the failure to report where there are several, nil where there is none.
func (c *conditions) worst() *failure {
	for _, about := range []string{"services", "serviceimports", "endpointslices", aboutAPI, aboutKubeconfig} {
		if f := c.failed[about]; f != nil {
			return f
		}
	}
	return nil
}

// published reports a new View to the log and the metrics.
func (c *conditions) published(old, v *View) {
	services, slices := v.Data.Count()
	c.o.Metrics.Services.Set(float64(services))
	c.o.Metrics.Slices.Set(float64(slices))
	if old != nil && old.State == v.State {
		return
	}
	for state := range c.o.Metrics.State {
		value := 0.0
		if State(state) == v.State {
			value = 1
		}
		c.o.Metrics.State[state].Set(value)
	}
	switch {
	case old == nil:
	case v.State == Stale:
		c.o.Log.Warningf("%s: data are stale: %v", c.o.subject(), v.Err)
	case v.State == Fresh && old.State == Stale:
		c.o.Log.Infof("%s: data are fresh again, after %v", c.o.subject(), time.Since(old.Since).Round(time.Millisecond))
	case v.State == Fresh:
		c.o.Log.Infof("%s: synced: %d services, %d endpointslices", c.o.subject(), services, slices)
	}
}

// setServed notes whether the API serves those objects of the MCS API, and what follows
// where it doesn't.
func (c *conditions) setServed(served bool, objects, otherwise string) {
	if c.mcsKnown && c.mcsServed == served {
		return
	}
	switch {
	case !served:
		c.o.Log.Infof("%s: its API has no %s (%s): %s", c.o.subject(), objects, mcsGroup, otherwise)
	case c.mcsKnown:
		c.o.Log.Infof("%s: its API has %s now", c.o.subject(), objects)
	}
	c.mcsKnown, c.mcsServed = true, served
}

// setInsecure notes whether the server's certificate is left unverified.
func (c *conditions) setInsecure(insecure bool) {
	if insecure && !c.insecure {
		c.o.Log.Warningf("%s: its kubeconfig has insecure-skip-tls-verify: whoever is on the path gets its credentials", c.o.subject())
	}
	c.insecure = insecure
}

// setExpiry notes when the credentials expire, and warns when that is near.
func (c *conditions) setExpiry(e credentials.Expiry, now time.Time) {
	if e != c.expiry {
		c.expiry, c.warned, c.expired = e, false, false
	}
	if e.End.IsZero() {
		c.o.Metrics.Expires.Set(0)
		return
	}
	c.o.Metrics.Expires.Set(float64(e.End.Unix()))
	switch {
	case now.After(e.End):
		if !c.expired {
			c.o.Log.Errorf("%s: its %s expired at %s", c.o.subject(), e.What, e.End.UTC().Format(time.RFC3339))
		}
		c.expired = true
	case now.After(e.WarnFrom()):
		if !c.warned {
			c.o.Log.Warningf("%s: its %s expires at %s, in %v", c.o.subject(), e.What, e.End.UTC().Format(time.RFC3339), e.End.Sub(now).Round(time.Second))
		}
		c.warned = true
	}
}
