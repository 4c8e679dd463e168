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
	config *rest.Config
	// files tells what the files were that config names.
	files      string
	examined   time.Time
	plainLists bool
}

// Pauses between tries. An API that comes back is to be seen soon; one that says
// no has to change its mind first.
const (
	leastPause, mostPause     = 500 * time.Millisecond, time.Second
	leastRefused, mostRefused = 2 * time.Second, 4 * time.Second
	examinePause              = 10 * time.Second
)

func (a *attempts) run() {
	for a.ctx.Err() == nil {
		t := a.once()
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
	config := rest.CopyConfig(a.config)
	files, err := load(config)
	if err != nil {
		t := &trouble{reason: BadKubeconfig, err: err}
		a.m.failedAttempt(a, t)
		return t
	}
	a.files, a.examined = files, time.Now()
	a.m.expires(a, expiryOf(config))
	s, err := newSession(a, config)
	if err != nil {
		t := &trouble{reason: BadKubeconfig, err: err}
		a.m.failedAttempt(a, t)
		return t
	}
	t := s.run(a.ctx)
	if t != nil && t.reason == Timeout && t.of != "" {
		a.plainLists = true // a streamed list that never ended, maybe
	}
	return t
}

// examine looks whether credentials in files were rotated, and how long they are
// good for.
func (a *attempts) examine() {
	if time.Since(a.examined) < examinePause {
		return
	}
	a.examined = time.Now()
	config := rest.CopyConfig(a.config)
	files, err := load(config)
	if err != nil {
		return // half written, maybe; the next session tells
	}
	a.m.expires(a, expiryOf(config))
	if files != a.files {
		a.files = files
		a.m.rotated(a)
	}
}
