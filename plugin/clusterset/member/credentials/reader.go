package credentials

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
)

// readTimeout is how long reading the files may take before it is an error.
const readTimeout = 10 * time.Second

var errSlow = fmt.Errorf("its files weren't read within %v", readTimeout)

// Result is what reading brought.
type Result struct {
	Config *rest.Config
	Err    error
}

// Reader makes Configs of credentials, again and again as their files may change. Their
// disk may hang: then one goroutine waits for it, and nobody else. A Reader is used by one
// goroutine.
type Reader struct {
	Credentials
	// Config is that of credentials that read no files, nil for others. A kubeconfig of
	// 1 MiB takes long to parse, and tries are frequent.
	Config *rest.Config
	// Reading has the result of the read in flight, nil is none. Who receives it sets it
	// to nil.
	Reading chan Result
}

// Load returns a Config of the files' content of now.
func (r *Reader) Load(ctx context.Context) (*rest.Config, error) {
	if r.Config != nil {
		return r.Config, nil
	}
	if r.Reading == nil {
		r.Start()
	}
	timer := time.NewTimer(readTimeout)
	defer timer.Stop()
	select {
	case got := <-r.Reading:
		r.Reading = nil
		return got.Config, got.Err
	case <-timer.C:
		return nil, errSlow
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Start begins to read the files. Nothing ends a read of a disk that hangs, so nobody waits
// for the goroutine: it touches nothing but its channel.
func (r *Reader) Start() {
	result, from := make(chan Result, 1), r.Credentials
	r.Reading = result
	go func() {
		config, err := from.RESTConfig()
		result <- Result{config, err}
	}()
}
