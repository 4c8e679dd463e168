package member

import (
	"context"
	"time"

	"k8s.io/client-go/rest"
)

// attempts tries sessions with one set of credentials, one at a time, until ctx
// ends; or until there are newer credentials and its session has ended.
type attempts struct {
	m      *Member
	ctx    context.Context //nolint:containedctx // as long as its goroutine
	cancel context.CancelFunc
	creds  Credentials
	// files tells what the files were that creds name.
	files      string
	examined   time.Time
	plainLists bool
	failed     int // tries in a row
}

// Pauses between tries. An API that comes back is to be seen soon; one that says
// no has to change its mind first.
const (
	leastPause, mostPause     = 400 * time.Millisecond, 800 * time.Millisecond
	leastRefused, mostRefused = 2 * time.Second, 4 * time.Second
	examinePause              = 10 * time.Second
)

// A try has to end soon, because what was lost while the API was cut off doesn't
// come any more: the time of a try, the pause, the relist's delay and the list
// must stay within 5 s. But an API that is slower than that has to get its chance.
const (
	tryTime     = 2 * time.Second
	slowTryTime = 8 * time.Second
	slowTryEach = 8
)

func (a *attempts) patience() time.Duration {
	if a.failed%slowTryEach == slowTryEach-1 {
		return slowTryTime
	}
	return tryTime
}

func (a *attempts) run() {
	for a.ctx.Err() == nil {
		t := a.once()
		a.failed++
		if a.ctx.Err() != nil || a.m.newer(a) {
			return
		}
		if t != nil && (t.reason == Unauthorized || t.reason == TLS || t.reason == BadKubeconfig) {
			pause(a.ctx, between(leastRefused, mostRefused))
			continue
		}
		pause(a.ctx, between(leastPause, mostPause))
	}
}

func (a *attempts) once() *trouble {
	s, err := a.session()
	if err != nil {
		t := &trouble{reason: BadKubeconfig, err: err}
		a.m.failedAttempt(a, t)
		return t
	}
	t := s.run(a.ctx)
	if s.shown { // it is over: nobody writes to it any more
		a.failed = 0
	}
	if t != nil && t.reason == Timeout && t.of != "" {
		a.plainLists = true // a streamed list that never ended, maybe
	}
	return t
}

// session begins one, with what is in the files now.
func (a *attempts) session() (*session, error) {
	config, files, err := a.read()
	if err != nil {
		return nil, err
	}
	a.files, a.examined = files, time.Now()
	a.m.expires(a, expiryOf(config))
	return newSession(a, config)
}

func (a *attempts) read() (config *rest.Config, files string, err error) {
	if config, err = a.creds.restConfig(); err != nil {
		return nil, "", err
	}
	files, err = load(config)
	return config, files, err
}

// examine looks whether credentials in files were rotated, and how long they are
// good for.
func (a *attempts) examine() {
	if time.Since(a.examined) < examinePause {
		return
	}
	a.examined = time.Now()
	config, files, err := a.read()
	if err != nil {
		return // half written, maybe; the next session tells
	}
	a.m.expires(a, expiryOf(config))
	if files != a.files {
		a.files = files
		a.m.rotated(a)
	}
}
