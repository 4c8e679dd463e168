package decode

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The marks by which other systems export a Service: annotations of Cilium's Cluster
// Mesh, which had other names before Cilium 1.14, and labels of Linkerd's multicluster
// extension.
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

// marks returns whether a Service has a mark that exports it, and whether that is
// Cilium's alone, which its namespace may opt out of.
func marks(m *metav1.ObjectMeta) (marked, byCilium bool) {
	exported := m.Labels[linkerdExported]
	if exported == yes || exported == linkerdDiscovery || m.Labels[linkerdFederated] == linkerdMember {
		return true, false
	}
	global := ciliumBool(m.Annotations, false, ciliumGlobal, ciliumGlobalAlias) &&
		ciliumBool(m.Annotations, true, ciliumShared, ciliumSharedAlias)
	return global, global
}

// optedOut reports whether a namespace's annotations opt out of Cilium's marks.
func optedOut(annotations map[string]string) bool {
	return !ciliumBool(annotations, true, ciliumNamespace)
}

// ciliumBool reads the first of the annotations that is set as Cilium does: in any case,
// and anything but "true" is false.
func ciliumBool(annotations map[string]string, unset bool, names ...string) bool {
	for _, name := range names {
		if value, set := annotations[name]; set {
			return strings.EqualFold(value, yes)
		}
	}
	return unset
}
