package member

import (
	"context"
	"slices"
	"time"
)

// mcsGroup is the API group of the Multi-Cluster Services API (KEP-1645).
const mcsGroup = "multicluster.x-k8s.io"

// Its objects, as the log has them.
const (
	serviceExports = "ServiceExports"
	serviceImports = "ServiceImports"
)

// mcsVersions are the versions that are understood, best first: what is read of the objects
// is alike in both.
var mcsVersions = []string{"v1beta1", "v1alpha1"}

// mcsPause is about how long it takes until a CRD that was installed is noticed.
const mcsPause = time.Minute

// mcsVersion returns the best version in which the API serves that resource of the group,
// "" where it serves it in none: each resource's CRD has versions of its own.
func (s *session) mcsVersion(ctx context.Context, resource string) (string, error) {
	served, err := s.client.GroupVersions(ctx, mcsGroup)
	if err != nil {
		return "", err
	}
	for _, version := range mcsVersions {
		if !slices.Contains(served, version) {
			continue
		}
		has, err := s.client.HasResource(ctx, mcsGroup, version, resource)
		if err != nil {
			return "", err
		}
		if has {
			return version, nil
		}
	}
	return "", nil
}

// mcsPath returns where the API has that resource of the group.
func mcsPath(version, resource string) string {
	return "/apis/" + mcsGroup + "/" + version + "/" + resource
}
