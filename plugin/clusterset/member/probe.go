package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

// A silent partition is to be noticed within 10 s: the pause, a fifth more, and the
// probe's timeout make 6.6 s.
const (
	probePause   = 3 * time.Second
	probeTimeout = 3 * time.Second
	// leastWait spaces probes that are refused, which prove nothing.
	leastWait = time.Second
	// uidPause is how often a probe is sent though the watches prove enough: only a probe
	// notices another cluster at the same address.
	uidPause = 30 * time.Second
)

var errReplaced = errors.New("its uid is another one now")

// stayAlive returns the failure that ended the session, nil where ctx did.
func (s *session) stayAlive(ctx context.Context) *failure.Failure {
	probed := time.Now()
	for {
		requested := s.wait(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if f := s.m.stalled(s); f != nil {
			return f
		}
		s.connector.check()
		s.freeMemory()
		now := time.Now()
		if !requested && now.Sub(s.lastAlive()) < probePause*4/5 && now.Sub(probed) < uidPause {
			continue
		}
		probed = now
		if f := s.checkAlive(ctx); f != nil {
			return f
		}
	}
}

// wait returns when there is something to do, and reports whether a probe is requested.
func (s *session) wait(ctx context.Context) (requested bool) {
	timer := time.NewTimer(max(backoff.Jitter(probePause)-time.Since(s.lastAlive()), leastWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.probeNow:
		return true
	case got := <-s.connector.files.Reading:
		s.connector.files.Reading = nil
		s.connector.reread(got)
	case <-timer.C:
	}
	return false
}

// checkAlive probes the API of a session that was alive.
func (s *session) checkAlive(ctx context.Context) *failure.Failure {
	began := time.Now()
	f := s.probe(ctx, probeTimeout)
	switch {
	case f == nil:
		s.m.credentialsAccepted(s)
		return nil
	case ctx.Err() != nil:
		return nil
	case f.Reason == failure.Unauthorized:
		// It is alive, and its watches go on until they end.
		s.noteAlive()
		s.m.credentialsRefused(s, f)
		return nil
	case f.Reason != failure.Replaced && s.lastAlive().After(began):
		return nil // slow, and alive
	}
	return f
}

// probe gets the namespace that every cluster has: the cheapest thing that differs
// between clusters.
func (s *session) probe(ctx context.Context, timeout time.Duration) *failure.Failure {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	n, err := s.client.Namespace(ctx, metav1.NamespaceSystem)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err): // it is alive, that's all
	case err != nil:
		return failure.Of(err, "")
	case n.UID == "":
		return &failure.Failure{Reason: failure.ServerError, Err: errors.New("a namespace without a uid: not a Kubernetes API")}
	case !s.m.identify(s, string(n.UID)):
		return &failure.Failure{Reason: failure.Replaced, Err: fmt.Errorf("namespace %s: %w", metav1.NamespaceSystem, errReplaced)}
	}
	s.noteAlive()
	return nil
}
