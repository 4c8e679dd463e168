// Package objects has the objects that join makes, in the member and here; leave removes
// just these, and renew writes new credentials into them.
//
// In the member it is a reader: a ServiceAccount with the least rights, shared by all
// clusters that joined it; an annotation of the ServiceAccount for each of them tells who
// uses it (member.go). Here it is, in the ClusterSet's namespace, a Secret with a kubeconfig
// for each member, the rights to read and to renew it, and a CronJob that renews them all
// (local.go); and the member's entry, under a key of its own in the ClusterSet's ConfigMap
// (entry.go).
//
// What is there already is left as it is (ensure.go), and what isn't ours is never removed
// (remove.go).
package objects

// Names that objects have, and the words on them.
const (
	// ManagedByLabel with the value ManagedBy is on everything that join and import make, but
	// for the ConfigMap of import, which may be somebody's.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "kubectl-clusterset"
	// Reader is the ServiceAccount in the member, in MemberNamespace, and its rights.
	Reader          = "clusterset-reader"
	MemberNamespace = "kube-system"
	// Renewer is the CronJob here, its ServiceAccount and rights.
	Renewer = "clusterset-renew"
	// SecretKey is the kubeconfig's key in its Secret.
	SecretKey = "value"
	// Program is where this program is in the image.
	Program = "/kubectl-clusterset"

	// usedBy begins the annotation of the reader for each Use of it.
	usedBy = "used-by.clusterset/"
	// memberLabel has the member's name, on the Secret that join makes. A name of two labels is a label's
	// value too.
	memberLabel = "clusterset/member"
	// Annotations of the Secret: the uid of the member's kube-system, and how long a token
	// to ask for.
	memberUID     = "clusterset/member-uid"
	tokenDuration = "clusterset/token-duration"
)

// SecretName is the name of the Secret with the kubeconfig of a member.
func SecretName(member string) string { return member + "-kubeconfig" }

// renewRole is the name of the right to renew it.
func renewRole(member string) string { return SecretName(member) + "-renew" }
