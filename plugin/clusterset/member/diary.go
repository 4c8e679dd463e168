package member

import (
	"time"
)

// What trouble can be about, besides the kinds.
const (
	aboutAPI        = "api"
	aboutKubeconfig = "kubeconfig"
)

// diary tells the log and the metrics what goes on: trouble when it begins and
// when it changes, not with every retry. It is under the Member's lock.
type diary struct {
	o    *Options
	open map[string]*trouble // by what it is about
	// expiry of the credentials, and what has been told of it.
	expiry           expiry
	warned, expired  bool
	mcsKnown, mcsHas bool
	insecureKnown    bool
}

// tell takes in that something is wrong.
func (d *diary) tell(about string, t *trouble) {
	last := d.open[about]
	if d.open == nil {
		d.open = make(map[string]*trouble)
	}
	d.open[about] = t
	if last != nil && last.reason == t.reason {
		return
	}
	d.o.Metrics.Troubles[t.reason].Inc()
	of := about
	if t.of != "" {
		of = t.of
	}
	d.o.Log.Warningf("member %s: %s: %s: %v%s", d.o.Name, of, t.reason, t.err, t.advice())
}

// clear takes in that it isn't any more.
func (d *diary) clear(about string) {
	if d.open[about] != nil {
		delete(d.open, about)
		d.o.Log.Infof("member %s: %s: well again", d.o.Name, about)
	}
}

// forgetKinds drops what was wrong in a session that is over.
func (d *diary) forgetKinds() {
	for about := range d.open {
		if about != aboutAPI && about != aboutKubeconfig {
			delete(d.open, about)
		}
	}
}

// worst is the trouble to name where there are several.
func (d *diary) worst() *trouble {
	for _, about := range []string{"services", "endpointslices", aboutAPI, aboutKubeconfig} {
		if t := d.open[about]; t != nil {
			return t
		}
	}
	return nil
}

// published takes in a new View.
func (d *diary) published(old, v *View) {
	services, slices := v.Data.Count()
	d.o.Metrics.Services.Set(float64(services))
	d.o.Metrics.Slices.Set(float64(slices))
	if old != nil && old.State == v.State {
		return
	}
	for state := range d.o.Metrics.State {
		value := 0.0
		if State(state) == v.State {
			value = 1
		}
		d.o.Metrics.State[state].Set(value)
	}
	switch {
	case old == nil:
	case v.State == Stale:
		d.o.Log.Warningf("member %s: its data are stale: %v", d.o.Name, v.Err)
	case v.State == Fresh && old.State == Stale:
		d.o.Log.Infof("member %s: its data are fresh again, after %v", d.o.Name, time.Since(old.Since).Round(time.Millisecond))
	case v.State == Fresh:
		d.o.Log.Infof("member %s: synced: %d services, %d endpointslices", d.o.Name, services, slices)
	}
}

// mcs takes in whether the API has ServiceExports.
func (d *diary) mcs(has bool) {
	if d.mcsKnown && d.mcsHas == has {
		return
	}
	switch {
	case !has:
		d.o.Log.Infof("member %s: its API has no ServiceExports (%s): only marked services count as exported", d.o.Name, mcsGroup)
	case d.mcsKnown:
		d.o.Log.Infof("member %s: its API has ServiceExports now", d.o.Name)
	}
	d.mcsKnown, d.mcsHas = true, has
}

// insecure takes in whether the server's certificate is unchecked.
func (d *diary) insecure(is bool) {
	if is && !d.insecureKnown {
		d.o.Log.Warningf("member %s: its kubeconfig has insecure-skip-tls-verify: whoever is in between gets its credentials", d.o.Name)
	}
	d.insecureKnown = is
}

// expires takes in when the credentials do, and tells when that is near.
func (d *diary) expires(e expiry, now time.Time) {
	if e != d.expiry {
		d.expiry, d.warned, d.expired = e, false, false
	}
	if e.end.IsZero() {
		d.o.Metrics.Expires.Set(0)
		return
	}
	d.o.Metrics.Expires.Set(float64(e.end.Unix()))
	switch {
	case now.After(e.end):
		if !d.expired {
			d.o.Log.Errorf("member %s: its %s expired at %s", d.o.Name, e.what, e.end.UTC().Format(time.RFC3339))
		}
		d.expired = true
	case now.After(e.warnFrom()):
		if !d.warned {
			d.o.Log.Warningf("member %s: its %s expires at %s, in %v", d.o.Name, e.what, e.end.UTC().Format(time.RFC3339), e.end.Sub(now).Round(time.Second))
		}
		d.warned = true
	}
}
