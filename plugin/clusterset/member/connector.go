package member

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

// connector tries sessions with one set of credentials, one at a time, until ctx ends; or
// until there are newer credentials and its session has ended. One goroutine runs it and
// its sessions' probes.
type connector struct {
	m      *Member
	ctx    context.Context //nolint:containedctx // of its goroutine
	cancel context.CancelFunc
	files  credentials.Reader
	// token authenticates requests, "" where nothing does by a token.
	token atomic.Pointer[string]
	// digest is of the content of the credentials' files.
	digest     atomic.Pointer[string]
	checked    time.Time
	plainLists bool
	failed     int // tries in a row
}

func (c *connector) run() {
	for c.ctx.Err() == nil {
		f := c.try()
		c.failed++
		if c.ctx.Err() != nil || c.m.isSuperseded(c) {
			return
		}
		backoff.Pause(c.ctx, backoff.After(f))
	}
}

func (c *connector) try() *failure.Failure {
	s, err := c.newSession()
	if err != nil {
		f := &failure.Failure{Reason: failure.BadKubeconfig, Err: err}
		c.m.connectFailed(c, f)
		return f
	}
	f := s.run(c.ctx)
	if s.synced { // nobody writes to it any more
		c.failed = 0
	}
	if f != nil && f.Reason == failure.Timeout && f.Resource != "" {
		c.plainLists = true // a streamed list that never ended, maybe
	}
	return f
}

// newSession makes a session with the files' content of now.
func (c *connector) newSession() (*session, error) {
	config, err := c.files.Load(c.ctx)
	if err != nil {
		return nil, err
	}
	c.use(config)
	digest := credentials.Digest(config)
	c.digest.Store(&digest)
	c.checked = time.Now()
	return newSession(c, config)
}

// use authenticates with the Config's token from now on, and reports whether that is
// another one.
func (c *connector) use(config *rest.Config) (another bool) {
	before := c.token.Swap(&config.BearerToken)
	c.m.setExpiry(c, credentials.ExpiryOf(config))
	c.m.setInsecure(c, config.Insecure)
	return before != nil && *before != config.BearerToken
}

// checkPause is how often credentials are checked while a session goes on.
const checkPause = 10 * time.Second

// check starts to look whether files were rotated, and warns of credentials that expire.
// The session goes on meanwhile; what is read comes by files.Reading.
func (c *connector) check() {
	if c.files.Reading != nil || time.Since(c.checked) < checkPause {
		return
	}
	c.checked = time.Now()
	if c.files.Config != nil {
		c.use(c.files.Config)
		return
	}
	c.files.Start()
}

// reread uses what was read while a session goes on. Another token is used at once; other
// certificates need another session. It reports whether the token is to be tried.
func (c *connector) reread(got credentials.Result) (another bool) {
	if got.Err != nil || c.ctx.Err() != nil {
		return false // half written, maybe; the next session reports it
	}
	another = c.use(got.Config)
	if digest := credentials.Digest(got.Config); digest != *c.digest.Swap(&digest) {
		c.m.reconnect(c)
	}
	return another
}
