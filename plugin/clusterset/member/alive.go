package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A silent partition is to be noticed within 10 s: the pause, a fifth more, and
// the probe's time make 6.6 s.
const (
	probePause   = 3 * time.Second
	probeTimeout = 3 * time.Second
	// leastWait keeps a refused probe, which is no sign of life, from being hurried.
	leastWait = time.Second
	// uidPause is how often a probe is made though the watches tell enough: only
	// that tells of another cluster at the same address.
	uidPause = 30 * time.Second
)

// DefaultSilence is how long a watch may tell nothing. API servers send a
// bookmark about once a minute, 1.25 at the most.
const DefaultSilence = 3 * time.Minute

// A watch that never had a bookmark may have an API server that sends none. It
// ends by itself after 10 minutes, as the Reflector asks for: later than that it
// hangs.
const withoutBookmarks = 4

// How long a list may go on without telling anything. Of a plain list, nothing
// shows until all of it is there.
const (
	streamPatience = 30 * time.Second
	listPatience   = 2 * time.Minute
)

var errReplaced = errors.New("its uid is another one now")

// stayAlive returns with what ended the life of the session, nil for ctx.
func (s *session) stayAlive(ctx context.Context) *trouble {
	asked := time.Now()
	for {
		prompted := s.wait(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if t := s.m.silent(s); t != nil {
			return t
		}
		s.by.examine()
		s.tidy()
		now := time.Now()
		if !prompted && now.Sub(s.lastSign()) < probePause*4/5 && now.Sub(asked) < uidPause {
			continue
		}
		asked = now
		if t := s.check(ctx); t != nil {
			return t
		}
	}
}

// wait returns when it's time to look; prompted is true when there is a reason.
func (s *session) wait(ctx context.Context) (prompted bool) {
	timer := time.NewTimer(max(jitter(probePause)-time.Since(s.lastSign()), leastWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.looked:
		return true
	case <-timer.C:
	}
	return false
}

// check probes the API of a session that was alive.
func (s *session) check(ctx context.Context) *trouble {
	began := time.Now()
	t := s.probe(ctx, probeTimeout)
	switch {
	case t == nil:
		s.m.accepted(s)
		return nil
	case ctx.Err() != nil:
		return nil
	case t.reason == Unauthorized:
		// It is alive, and the watches go on until they end.
		s.alive()
		s.m.refused(s, t)
		return nil
	case t.reason != Replaced && s.lastSign().After(began):
		return nil // slow, and alive
	}
	return t
}

// probe asks for the namespace that every cluster has: the cheapest thing that
// tells one cluster from another.
func (s *session) probe(ctx context.Context, timeout time.Duration) *trouble {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	n, err := s.client.namespace(ctx, metav1.NamespaceSystem)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err): // alive, and that is all
	case err != nil:
		return &trouble{reason: classify(err), err: plain(err)}
	case n.UID == "":
		return &trouble{reason: ServerError, err: errors.New("a namespace without a uid: not a Kubernetes API")}
	case !s.m.identify(s, string(n.UID)):
		return &trouble{reason: Replaced, err: fmt.Errorf("namespace %s: %w", metav1.NamespaceSystem, errReplaced)}
	}
	s.alive()
	return nil
}
