package member

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Signs of other systems that a Service is exported: annotations of Cilium's
// Cluster Mesh, which had other names before Cilium 1.14, and labels of Linkerd's
// multicluster extension.
const (
	ciliumGlobal      = "service.cilium.io/global"
	ciliumGlobalAlias = "io.cilium/global-service"
	ciliumShared      = "service.cilium.io/shared"
	ciliumSharedAlias = "io.cilium/shared-service"
	ciliumNamespace   = "clustermesh.cilium.io/global"
	linkerdExported   = "mirror.linkerd.io/exported"
	linkerdDiscovery  = "remote-discovery"
	linkerdFederated  = "mirror.linkerd.io/federated"
	linkerdMember     = "member"
	yes               = "true"
)

// marks tells whether a Service has another system's sign, and whether that is
// Cilium's alone, which its namespace may take back.
func marks(m *metav1.ObjectMeta) (marked, byCilium bool) {
	exported := m.Labels[linkerdExported]
	if exported == yes || exported == linkerdDiscovery || m.Labels[linkerdFederated] == linkerdMember {
		return true, false
	}
	global := ciliumSays(m.Annotations, false, ciliumGlobal, ciliumGlobalAlias) &&
		ciliumSays(m.Annotations, true, ciliumShared, ciliumSharedAlias)
	return global, global
}

// optedOut tells whether a namespace's annotations take its Services back.
func optedOut(annotations map[string]string) bool {
	return !ciliumSays(annotations, true, ciliumNamespace)
}

// ciliumSays reads the first of the annotations that is there as Cilium does: in
// any case, and what isn't true is false.
func ciliumSays(annotations map[string]string, unset bool, names ...string) bool {
	for _, name := range names {
		if value, there := annotations[name]; there {
			return strings.EqualFold(value, yes)
		}
	}
	return unset
}
