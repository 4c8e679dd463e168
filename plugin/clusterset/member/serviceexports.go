package member

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
)

// watchExports watches ServiceExports while the API serves them, and looks for them now
// and then while it doesn't.
func (l *listWatch) watchExports() {
	s := l.session
	again := s.m.lookouts()
	for s.ctx.Err() == nil {
		version, err := resources.MCSVersion(s.ctx, s.client, l.Name)
		switch {
		case err != nil:
			l.failed(s.ctx, err)
		case version == "":
			l.exportsNotServed()
		default:
			l.runExports(version)
			l.exportsNotServed()
			again.Reset()
		}
		backoff.Pause(s.ctx, again.Next())
	}
}

// runExports lists and watches them until the session ends, or the API doesn't serve them
// any more.
func (l *listWatch) runExports(version string) {
	ctx, cancel := context.WithCancel(l.session.ctx)
	defer cancel()
	l.source = apiclient.Source{Path: resources.MCSPath(version, l.Name), MetadataOnly: true} // alike in all versions
	l.refused = func(err error) {
		if apierrors.IsNotFound(err) {
			cancel()
		}
	}
	l.run(ctx)
}

// exportsNotServed notes that the API doesn't serve ServiceExports: then there are none.
func (i *informer) exportsNotServed() {
	m := i.session.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if !i.session.over {
		m.conditions.SetServed(false, resources.ServiceExports, resources.MCSGroup, "only marked services count as exported")
		i.absent = true
		m.setList(i, nil)
	}
}
