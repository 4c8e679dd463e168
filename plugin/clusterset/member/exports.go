package member

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// mcsGroup is the Multi-Cluster Services API's (KEP-1645).
const mcsGroup = "multicluster.x-k8s.io"

// mcsVersions that are understood, best first: of a ServiceExport only the
// metadata count, which are alike in both.
var mcsVersions = []string{"v1beta1", "v1alpha1"}

// mcsPause is about how long it takes until a CRD that comes is seen.
const mcsPause = time.Minute

// watchExports watches ServiceExports while the API has them, and looks for them
// now and then while it doesn't.
func (s *session) watchExports(ctx context.Context) {
	f := s.feeds[exports]
	for ctx.Err() == nil {
		version, err := s.mcsVersion(ctx)
		switch {
		case err != nil:
			f.failed(ctx, err)
		case version == "":
			s.m.absent(f)
		default:
			s.runExports(ctx, version)
			s.m.absent(f)
		}
		pause(ctx, jitter(mcsPause))
	}
}

// runExports lists and watches them until ctx ends, or their CRD is gone.
func (s *session) runExports(ctx context.Context, version string) {
	ctx, gone := context.WithCancel(ctx)
	defer gone()
	f := s.feeds[exports]
	f.source, f.gone = source{path: "/apis/" + mcsGroup + "/" + version + "/serviceexports", partial: true}, gone
	f.run(ctx)
}

// mcsVersion is the API's version of ServiceExports, "" where it has none.
func (s *session) mcsVersion(ctx context.Context) (string, error) {
	content, err := s.client.small(ctx, "/apis/"+mcsGroup, inJSON)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	g, err := parseGroup(content)
	if err != nil {
		return "", err
	}
	for _, version := range mcsVersions {
		if slices.ContainsFunc(g.Versions, func(v groupVersion) bool { return v.Version == version }) {
			return version, nil
		}
	}
	return "", nil
}

// jitter is d, 20% more or less.
func jitter(d time.Duration) time.Duration { return between(d*4/5, d*6/5) }

func between(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// group is what answers GET /apis/GROUP, as far as it is needed.
type group struct {
	Versions []groupVersion `json:"versions"`
}

type groupVersion struct {
	Version string `json:"version"`
}

func parseGroup(content []byte) (g group, err error) {
	err = json.Unmarshal(content, &g)
	return g, err
}
