package member

import (
	"context"
	"slices"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
)

// mcsGroup is the API group of the Multi-Cluster Services API (KEP-1645).
const mcsGroup = "multicluster.x-k8s.io"

// mcsVersions are the versions that are understood, best first: only a ServiceExport's
// metadata are read, which are alike in both.
var mcsVersions = []string{"v1beta1", "v1alpha1"}

// mcsPause is about how long it takes until a CRD that was installed is noticed.
const mcsPause = time.Minute

// watchExports watches ServiceExports while the API serves them, and looks for them now
// and then while it doesn't.
func (l *listWatch) watchExports() {
	s := l.session
	for s.ctx.Err() == nil {
		version, err := l.mcsVersion(s.ctx)
		switch {
		case err != nil:
			l.failed(s.ctx, err)
		case version == "":
			l.exportsNotServed()
		default:
			l.runExports(version)
			l.exportsNotServed()
		}
		pause(s.ctx, jitter(mcsPause))
	}
}

// runExports lists and watches them until the session ends, or the API doesn't serve them
// any more.
func (l *listWatch) runExports(version string) {
	ctx, cancel := context.WithCancel(l.session.ctx)
	defer cancel()
	l.source, l.notServed = apiclient.Source{Path: "/apis/" + mcsGroup + "/" + version + "/serviceexports", MetadataOnly: true}, cancel
	l.run(ctx)
}

// mcsVersion returns the version of ServiceExports to watch, "" where the API has none.
func (l *listWatch) mcsVersion(ctx context.Context) (string, error) {
	served, err := l.session.client.GroupVersions(ctx, mcsGroup)
	if err != nil {
		return "", err
	}
	for _, version := range mcsVersions {
		if slices.Contains(served, version) {
			return version, nil
		}
	}
	return "", nil
}
