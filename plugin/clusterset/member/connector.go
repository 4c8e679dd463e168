package member

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

// connector tries sessions with one set of credentials, one at a time, until ctx ends; or
// until there are newer credentials and its session has ended. One goroutine runs it and
// its sessions' probes.
type connector struct {
	m      *Member
	ctx    context.Context //nolint:containedctx // of its goroutine
	cancel context.CancelFunc
	creds  Credentials
	// config is that of credentials that read no files, nil for others, whose files may
	// change. A kubeconfig of 1 MiB takes long to parse, and tries are frequent.
	config *rest.Config
	// token authenticates requests, "" where nothing does by a token.
	token atomic.Pointer[string]
	// digest is of the content of the credentials' files.
	digest     atomic.Pointer[string]
	reading    chan configResult // nil while no files are read
	checked    time.Time
	plainLists bool
	failed     int // tries in a row
}

type configResult struct {
	config *rest.Config
	err    error
}

func (c *connector) run() {
	for c.ctx.Err() == nil {
		f := c.try()
		c.failed++
		if c.ctx.Err() != nil || c.m.isSuperseded(c) {
			return
		}
		pause(c.ctx, backoff(f))
	}
}

func (c *connector) try() *failure {
	s, err := c.newSession()
	if err != nil {
		f := &failure{reason: BadKubeconfig, err: err}
		c.m.connectFailed(c, f)
		return f
	}
	f := s.run(c.ctx)
	if s.synced { // nobody writes to it any more
		c.failed = 0
	}
	if f != nil && f.reason == Timeout && f.resource != "" {
		c.plainLists = true // a streamed list that never ended, maybe
	}
	return f
}

// newSession makes a session with the files' content of now.
func (c *connector) newSession() (*session, error) {
	config, err := c.load()
	if err != nil {
		return nil, err
	}
	c.use(config)
	digest := credentials.Digest(config)
	c.digest.Store(&digest)
	c.checked = time.Now()
	return newSession(c, config)
}

// readTimeout is how long reading the files may take before it is an error.
const readTimeout = 10 * time.Second

var errSlowFiles = fmt.Errorf("its files weren't read within %v", readTimeout)

// load makes a Config of the credentials. Their disk may hang: then it returns without,
// and one goroutine goes on waiting for the disk.
func (c *connector) load() (*rest.Config, error) {
	if c.config != nil {
		return c.config, nil
	}
	if c.reading == nil {
		c.startReading()
	}
	timer := time.NewTimer(readTimeout)
	defer timer.Stop()
	select {
	case got := <-c.reading:
		c.reading = nil
		return got.config, got.err
	case <-timer.C:
		return nil, errSlowFiles
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
}

// startReading reads the files. Nothing ends a read of a disk that hangs, so nobody waits
// for the goroutine: it touches nothing but its channel.
func (c *connector) startReading() {
	result, creds := make(chan configResult, 1), c.creds
	c.reading = result
	go func() {
		config, err := creds.RESTConfig()
		result <- configResult{config, err}
	}()
}

// use authenticates with the Config's token from now on.
func (c *connector) use(config *rest.Config) {
	c.token.Store(&config.BearerToken)
	c.m.setExpiry(c, credentials.ExpiryOf(config))
	c.m.setInsecure(c, config.Insecure)
}

// checkPause is how often credentials are checked while a session goes on.
const checkPause = 10 * time.Second

// check starts to look whether files were rotated, and warns of credentials that expire.
// The session goes on meanwhile; what is read comes by reading.
func (c *connector) check() {
	if c.reading != nil || time.Since(c.checked) < checkPause {
		return
	}
	c.checked = time.Now()
	if c.config != nil {
		c.use(c.config)
		return
	}
	c.startReading()
}

// reread uses what was read while a session goes on. Another token is used at once; other
// certificates need another session.
func (c *connector) reread(got configResult) {
	if got.err != nil || c.ctx.Err() != nil {
		return // half written, maybe; the next session reports it
	}
	c.use(got.config)
	if digest := credentials.Digest(got.config); digest != *c.digest.Swap(&digest) {
		c.m.reconnect(c)
	}
}
