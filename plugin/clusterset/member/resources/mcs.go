package resources

import (
	"context"
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
)

// MCSGroup is the API group of the Multi-Cluster Services API (KEP-1645).
const MCSGroup = "multicluster.x-k8s.io"

// Its objects, as the log has them.
const (
	ServiceExports = "ServiceExports"
	ServiceImports = "ServiceImports"
)

// MCSVersions are the versions that are understood, best first: what is read of the objects
// is alike in both.
var MCSVersions = []string{"v1beta1", "v1alpha1"}

// MCSVersion returns the best version in which the API serves that resource of the group,
// "" where it serves it in none: each resource's CRD has versions of its own.
func MCSVersion(ctx context.Context, c *apiclient.Client, resource string) (string, error) {
	served, err := c.GroupVersions(ctx, MCSGroup)
	if err != nil {
		return "", err
	}
	for _, version := range MCSVersions {
		if !slices.Contains(served, version) {
			continue
		}
		has, err := c.HasResource(ctx, MCSGroup, version, resource)
		if err != nil {
			return "", err
		}
		if has {
			return version, nil
		}
	}
	return "", nil
}

// MCSPath returns where the API has that resource of the group.
func MCSPath(version, resource string) string {
	return "/apis/" + MCSGroup + "/" + version + "/" + resource
}
