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
// timeout make 6.6 s.
const (
	probePause   = 3 * time.Second
	probeTimeout = 3 * time.Second
	// leastWait spaces probes that are refused, which prove nothing.
	leastWait = time.Second
	// busyPause is how often there is a probe though the watches prove enough.
	busyPause = 30 * time.Second
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
		s.garbage.Free()
		now := time.Now()
		if !requested && now.Sub(s.proofs.Last()) < probePause*4/5 && now.Sub(probed) < busyPause {
			continue
		}
		probed = now
		if f := s.checkAlive(ctx, requested); f != nil {
			return f
		}
	}
}

// wait returns when there is something to do, and reports whether a request is to be made.
func (s *session) wait(ctx context.Context) (requested bool) {
	timer := time.NewTimer(max(backoff.Jitter(probePause)-time.Since(s.proofs.Last()), leastWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.probeNow:
		return true
	case got := <-s.connector.files.Reading:
		s.connector.files.Reading = nil
		return s.connector.reread(got)
	case <-timer.C:
	}
	return false
}

// checkAlive probes the API of a session that was alive: by a ping, by a request, or both.
func (s *session) checkAlive(ctx context.Context, requested bool) *failure.Failure {
	if !requested && s.m.watches(s) {
		pinged, f := s.ping(ctx)
		if f != nil || pinged && !s.proofs.MustAsk(s.conns.Dialed()) {
			return f
		}
	}
	began, dialed := time.Now(), s.conns.Dialed()
	f := s.probe(ctx, probeTimeout)
	switch {
	case f == nil:
		s.proofs.NoteAsked(dialed)
		s.m.credentialsAccepted(s)
		return nil
	case ctx.Err() != nil:
		return nil
	case f.Reason == failure.Unauthorized:
		// It is alive, and its watches go on until they end.
		s.noteAlive()
		s.proofs.NoteRefused()
		s.m.credentialsRefused(s, f)
		return nil
	case f.Reason != failure.Replaced && s.proofs.Last().After(began):
		return nil // slow, and alive
	}
	return f
}

// ping pings the API, and reports whether that proved it alive. A connection that broke is
// no failure, as there may be another one: that is for a request to find out.
func (s *session) ping(ctx context.Context) (alive bool, f *failure.Failure) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := s.conns.Ping(limited)
	switch {
	case err == nil:
		s.proofs.NotePing()
		return true, nil
	case limited.Err() == nil || ctx.Err() != nil || s.proofs.Last().After(began):
		return false, nil
	}
	return false, failure.Of(fmt.Errorf("a ping: %w", err), "")
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
