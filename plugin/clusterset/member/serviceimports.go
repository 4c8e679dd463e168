package member

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
)

// imports watches ServiceImports (KEP-1645) and their EndpointSlices in one session.
type imports struct {
	session *session
	imports *listWatch
	slices  *listWatch
}

// watch watches them while the API serves and allows both, and looks for that now and then
// while it doesn't. Until then there are none: who answers names over clusters has other
// ways to know who exports a service, and neither CRDs nor rights are asked of a cluster.
func (i *imports) watch() {
	s := i.session
	again := s.m.lookouts()
	for s.ctx.Err() == nil {
		version, err := resources.MCSVersion(s.ctx, s.client, i.imports.Name)
		switch {
		case version != "":
			i.none(i.run(version))
			again.Reset()
		case err == nil:
			i.none(nil)
		case isUnavailable(err):
			i.none(i.imports.failureOf(err))
		default:
			i.imports.failed(s.ctx, err)
			backoff.Pause(s.ctx, backoff.Between(firstPause, requiredMost)) // nothing is known until then
			continue
		}
		backoff.Pause(s.ctx, again.Next())
	}
}

// isUnavailable reports whether an error says that there are no such objects, or none for
// these credentials.
func isUnavailable(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) }

// run lists and watches both until the session ends, or one of them is unavailable; it
// returns why.
//
// Slices are listed first, so that a headless import has its endpoints from the beginning
// on: without any its name doesn't exist.
func (i *imports) run(version string) *failure.Failure {
	ctx, cancel := context.WithCancelCause(i.session.ctx)
	defer cancel(nil)
	for _, l := range []*listWatch{i.imports, i.slices} {
		l.refused = func(err error) {
			if isUnavailable(err) {
				cancel(l.failureOf(err))
			}
		}
	}
	listed := make(chan struct{})
	i.slices.whenListed = sync.OnceFunc(func() { close(listed) })
	i.imports.source = apiclient.Source{Path: resources.MCSPath(version, i.imports.Name), Kind: "ServiceImport", JSON: true}
	var running sync.WaitGroup
	running.Go(func() { i.slices.run(ctx) })
	select {
	case <-listed:
		i.imports.run(ctx)
	case <-ctx.Done():
	}
	running.Wait()
	var why *failure.Failure
	errors.As(context.Cause(ctx), &why)
	return why
}

// none notes that there are no imports: the API forbids to read what they are made of, or
// doesn't serve them.
func (i *imports) none(why *failure.Failure) {
	s, m := i.session, i.session.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.over || s.ctx.Err() != nil {
		return
	}
	forbidden := ""
	if why != nil && why.Reason == failure.Forbidden {
		forbidden = why.Resource
	} else {
		m.conditions.SetServed(false, resources.ServiceImports, resources.MCSGroup, "names over clusters are those of services that members export")
	}
	for _, of := range s.informers {
		if of.Name != forbidden {
			m.conditions.Clear(of.Name)
		}
		of.absent = true
		m.setList(of, nil)
		of.active = time.Time{} // nothing is in flight that could hang
	}
	if forbidden != "" {
		m.conditions.Set(forbidden, why)
	}
	m.publishDetails()
}
