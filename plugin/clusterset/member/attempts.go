package member

import (
	"context"
	"fmt"
	"sync/atomic"
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
	// config is that of credentials that are data, nil where files may change. A
	// kubeconfig of 1 MiB takes long to parse, and tries come often.
	config *rest.Config
	// token is what authenticates now, "" where nothing does by a token.
	token atomic.Pointer[string]
	// files tells what the files were that creds name.
	files      atomic.Pointer[string]
	reading    chan made // nil while nothing is read
	examined   time.Time
	examining  atomic.Bool
	plainLists bool
	failed     int // tries in a row
}

// made is what came of making a Config.
type made struct {
	config *rest.Config
	err    error
}

// Pauses between tries. An API that comes back is to be seen soon; one that says
// no has to change its mind first.
const (
	leastPause, mostPause     = 400 * time.Millisecond, 800 * time.Millisecond
	leastRefused, mostRefused = 2 * time.Second, 4 * time.Second
	// What was too large costs its most each time.
	leastTooLarge, mostTooLarge = time.Minute, 2 * time.Minute
	examinePause                = 10 * time.Second
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
		pause(a.ctx, restAfter(t))
	}
}

// restAfter is how long to wait after a try that ended with t.
func restAfter(t *trouble) time.Duration {
	switch {
	case t == nil:
	case t.reason == TooLarge:
		return between(leastTooLarge, mostTooLarge)
	case t.reason == Unauthorized, t.reason == TLS, t.reason == BadKubeconfig:
		return between(leastRefused, mostRefused)
	}
	return between(leastPause, mostPause)
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
	config, err := a.read()
	if err != nil {
		return nil, err
	}
	a.took(config)
	files := digest(config)
	a.files.Store(&files)
	a.examined = time.Now()
	return newSession(a, config)
}

// readTime is how long files may take to be read before it is told.
const readTime = 10 * time.Second

var errSlowFiles = fmt.Errorf("its files weren't read within %v", readTime)

// read makes a Config of the credentials. Their files may be on a disk that hangs:
// then it ends without, and there is one goroutine that goes on waiting.
func (a *attempts) read() (*rest.Config, error) {
	if a.config != nil {
		return a.config, nil
	}
	if a.reading == nil {
		result := make(chan made, 1)
		a.reading = result
		go func() {
			config, err := a.creds.restConfig()
			result <- made{config, err}
		}()
	}
	timer := time.NewTimer(readTime)
	defer timer.Stop()
	select {
	case got := <-a.reading:
		a.reading = nil
		return got.config, got.err
	case <-timer.C:
		return nil, errSlowFiles
	case <-a.ctx.Done():
		return nil, a.ctx.Err()
	}
}

// took takes in what the credentials are now.
func (a *attempts) took(config *rest.Config) {
	a.token.Store(&config.BearerToken)
	a.m.expires(a, expiryOf(config))
	a.m.insecure(a, config.Insecure)
}

// examine looks whether credentials in files were rotated, and how long they are
// good for. The files may take their time: nobody waits for them, and while they
// are read they aren't read again.
func (a *attempts) examine() {
	if time.Since(a.examined) < examinePause {
		return
	}
	a.examined = time.Now()
	if a.examining.CompareAndSwap(false, true) {
		go func() {
			defer a.examining.Store(false)
			a.compare()
		}()
	}
}

func (a *attempts) compare() {
	if a.config != nil {
		a.took(a.config) // it may expire now
		return
	}
	config, err := a.creds.restConfig()
	if err != nil || a.ctx.Err() != nil {
		return // half written, maybe; the next session tells
	}
	a.took(config)
	if files := digest(config); files != *a.files.Swap(&files) {
		a.m.rotated(a)
	}
}
