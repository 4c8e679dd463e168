package decode

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// The marks by which other systems export a Service: annotations of Cilium's Cluster
// Mesh, which had other names before Cilium 1.14, and labels of Linkerd's multicluster
// extension.
const (
	ciliumGlobal        = "service.cilium.io/global"
	ciliumGlobalAlias   = "io.cilium/global-service"
	ciliumShared        = "service.cilium.io/shared"
	ciliumSharedAlias   = "io.cilium/shared-service"
	ciliumAffinity      = "service.cilium.io/affinity"
	ciliumAffinityAlias = "io.cilium/service-affinity"
	ciliumNamespace     = "clustermesh.cilium.io/global"
	linkerdExported     = "mirror.linkerd.io/exported"
	linkerdDiscovery    = "remote-discovery"
	linkerdFederated    = "mirror.linkerd.io/federated"
	linkerdMember       = "member"
	yes                 = "true"
)

// readMarks sets a Service's marks, whether one of them exports it, and whether that is
// Cilium's alone, which its namespace may opt out of.
func readMarks(m *metav1.ObjectMeta, to *model.Service) {
	set := func(mark model.Marks, has bool) {
		if has {
			to.Marks |= mark
		}
	}
	set(model.CiliumGlobal, ciliumBool(m.Annotations, false, ciliumGlobal, ciliumGlobalAlias))
	set(model.CiliumUnshared, !ciliumBool(m.Annotations, true, ciliumShared, ciliumSharedAlias))
	set(model.LinkerdExported, m.Labels[linkerdExported] == yes)
	set(model.LinkerdDiscovery, m.Labels[linkerdExported] == linkerdDiscovery)
	set(model.LinkerdFederated, m.Labels[linkerdFederated] == linkerdMember)
	to.CiliumAffinity = affinities[strings.ToLower(firstSet(m.Annotations, ciliumAffinity, ciliumAffinityAlias))]
	byLinkerd := to.Marks&(model.LinkerdExported|model.LinkerdDiscovery|model.LinkerdFederated) != 0
	to.MarkedByCilium = !byLinkerd && to.Marks&(model.CiliumGlobal|model.CiliumUnshared) == model.CiliumGlobal
	to.Marked = byLinkerd || to.MarkedByCilium
}

// affinities are Cilium's values in lower case. It reads any other as none.
var affinities = map[string]model.Affinity{"local": model.AffinityLocal, "remote": model.AffinityRemote, "none": model.AffinityNone}

// firstSet returns the value of the first of the annotations that is set.
func firstSet(annotations map[string]string, names ...string) string {
	for _, name := range names {
		if value, set := annotations[name]; set {
			return value
		}
	}
	return ""
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
