// Package conditions is what is wrong with a member's API now. A failure is logged and
// counted when it begins and when its reason changes, not with every retry, in text that
// is safe to log.
//
// Package member notes in it what happens, under its lock.
package conditions

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// What a condition may be about, besides the resources.
const (
	API        = "api"
	Kubeconfig = "kubeconfig"
)

// Counters are the metrics of one member's conditions.
type Counters struct {
	// Troubles counts failures by Reason, each once when it begins, not for every retry.
	Troubles [failure.Reasons]prometheus.Counter
}

// Conditions are those of one member. They have no lock of their own.
type Conditions struct {
	subject  string // what the log's lines are about
	log      Log
	counters Counters
	failed   map[string]*failure.Failure // by what they are about
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

// New returns the conditions of the subject: nothing is wrong yet.
func New(subject string, log Log, counters Counters) Conditions {
	return Conditions{subject: subject, log: log, counters: counters}
}

// Set notes a failure.
func (c *Conditions) Set(about string, f *failure.Failure) {
	last := c.failed[about]
	if c.failed == nil {
		c.failed = make(map[string]*failure.Failure)
	}
	c.failed[about], c.lastError, c.lastTime = f, f.Error(), time.Now()
	if last != nil && last.Reason == f.Reason {
		return
	}
	c.counters.Troubles[f.Reason].Inc()
	of := about
	if f.Resource != "" {
		of = f.Resource
	}
	c.log.Warningf("%s: %s: %s: %v%s", c.subject, of, f.Reason, f.Err, f.Advice())
}

// Clear notes that a failure is over.
func (c *Conditions) Clear(about string) {
	if c.failed[about] != nil {
		delete(c.failed, about)
		c.log.Infof("%s: %s: recovered", c.subject, about)
	}
}

// ClearResources drops the failures of a session that is over.
func (c *Conditions) ClearResources() {
	for about := range c.failed {
		if about != API && about != Kubeconfig {
			delete(c.failed, about)
		}
	}
}

// Worst returns the failure to report where there are several, nil where there is none.
func (c *Conditions) Worst() *failure.Failure {
	for _, about := range []string{"services", "serviceimports", "endpointslices", API, Kubeconfig} {
		if f := c.failed[about]; f != nil {
			return f
		}
	}
	return nil
}

// SetServed notes whether the API serves those objects of that group, the MCS API's, and
// what follows where it doesn't.
func (c *Conditions) SetServed(served bool, objects, group, otherwise string) {
	if c.mcsKnown && c.mcsServed == served {
		return
	}
	switch {
	case !served:
		c.log.Infof("%s: its API has no %s (%s): %s", c.subject, objects, group, otherwise)
	case c.mcsKnown:
		c.log.Infof("%s: its API has %s now", c.subject, objects)
	}
	c.mcsKnown, c.mcsServed = true, served
}

// SetInsecure notes whether the server's certificate is left unverified.
func (c *Conditions) SetInsecure(insecure bool) {
	if insecure && !c.insecure {
		c.log.Warningf("%s: its kubeconfig has insecure-skip-tls-verify: whoever is on the path gets its credentials", c.subject)
	}
	c.insecure = insecure
}

// SetExpiry notes when the credentials expire, and warns when that is near.
func (c *Conditions) SetExpiry(e credentials.Expiry, now time.Time) {
	if e != c.expiry {
		c.expiry, c.warned, c.expired = e, false, false
	}
	if e.End.IsZero() {
		return
	}
	switch {
	case now.After(e.End):
		if !c.expired {
			c.log.Errorf("%s: its %s expired at %s", c.subject, e.What, e.End.UTC().Format(time.RFC3339))
		}
		c.expired = true
	case now.After(e.WarnFrom()):
		if !c.warned {
			c.log.Warningf("%s: its %s expires at %s, in %v", c.subject, e.What, e.End.UTC().Format(time.RFC3339), e.End.Sub(now).Round(time.Second))
		}
		c.warned = true
	}
}

// Status returns them for a person.
func (c *Conditions) Status() (d status.Conditions) {
	d.LastError, d.LastErrorTime = c.lastError, c.lastTime
	if f := c.failed[API]; f != nil && f.Reason == failure.TooLarge {
		d.Refused = quote(f.Err.Error())
		if f.Resource != "" {
			d.Refused = f.Resource + ": " + d.Refused
		}
	}
	d.Credentials = status.Credentials{Kind: c.expiry.What, Expires: c.expiry.End, Insecure: c.insecure}
	if !c.expiry.End.IsZero() {
		d.Credentials.WarnFrom = c.expiry.WarnFrom()
	}
	if f := c.failed[Kubeconfig]; f != nil {
		d.Credentials.Error = f.Error()
	}
	return d
}
