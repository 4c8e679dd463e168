package objects

import (
	"fmt"
	"hash/fnv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
)

// Local is where join makes objects in the cluster whose CoreDNS is to know the member.
type Local struct {
	// Namespace and ConfigMap are the ClusterSet's.
	Namespace, ConfigMap string
	// Account is the ServiceAccount that CoreDNS there runs as.
	AccountNamespace, Account string
	// Image has this program; "" where it isn't known, and then nothing renews.
	Image string
	// UID is of the cluster's kube-system.
	UID string
}

// Use is the mark of this ClusterSet in a member.
func (l Local) Use(member string) Use {
	return Use{UID: l.UID, ConfigMap: l.Namespace + "/" + l.ConfigMap, Member: member}
}

// Secret returns the Secret with a member's kubeconfig.
func (l Local) Secret(member, uid string, duration time.Duration, kubeconfig []byte) *unstructured.Unstructured {
	return object(&v1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: SecretName(member), Namespace: l.Namespace,
			Labels:      map[string]string{memberLabel: member},
			Annotations: map[string]string{memberUID: uid, tokenDuration: duration.String()},
		},
		Type: v1.SecretTypeOpaque,
		Data: map[string][]byte{SecretKey: kubeconfig},
	})
}

// Reads returns the right for CoreDNS to read a member's Secret, and nothing but it.
func (l Local) Reads(member string) []*unstructured.Unstructured {
	secret := SecretName(member)
	return l.role(secret, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: l.AccountNamespace, Name: l.Account},
		// What CoreDNS takes: a watch of one object.
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{secret}, Verbs: []string{"get", "list", "watch"}})
}

// Rights returns who may read a member's Secret, and nothing but it: CoreDNS, and who renews
// it.
func (l Local) Rights(member string) []*unstructured.Unstructured {
	return append(l.Reads(member), l.role(renewRole(member), l.renewer(),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{SecretName(member)}, Verbs: []string{"get", "update"}})...)
}

// Renewal returns what renews the tokens of all members: it reads in the ClusterSet which
// they are.
func (l Local) Renewal() []*unstructured.Unstructured {
	account := object(&v1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: metav1.ObjectMeta{Name: Renewer, Namespace: l.Namespace},
	})
	objects := append([]*unstructured.Unstructured{account}, l.role(Renewer, l.renewer(),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{l.ConfigMap}, Verbs: []string{"get"}})...)
	return append(objects, object(l.cronJob()))
}

func (l Local) renewer() rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: l.Namespace, Name: Renewer}
}

// role returns a Role and its binding to the subject.
func (l Local) role(name string, subject rbacv1.Subject, rules ...rbacv1.PolicyRule) []*unstructured.Unstructured {
	meta := metav1.ObjectMeta{Name: name, Namespace: l.Namespace}
	return []*unstructured.Unstructured{
		object(&rbacv1.Role{
			TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"}, ObjectMeta: meta, Rules: rules,
		}),
		object(&rbacv1.RoleBinding{
			TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"}, ObjectMeta: meta,
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects: []rbacv1.Subject{subject},
		}),
	}
}

// cronJob runs every four hours: a token is renewed in the middle of its life, so one of a
// day, the shortest that clouds cap it at, has three tries.
func (l Local) cronJob() *batchv1.CronJob {
	return &batchv1.CronJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"},
		ObjectMeta: metav1.ObjectMeta{Name: Renewer, Namespace: l.Namespace},
		Spec: batchv1.CronJobSpec{
			Schedule:                   fmt.Sprintf("%d */4 * * *", l.minute()),
			ConcurrencyPolicy:          batchv1.ForbidConcurrent,
			StartingDeadlineSeconds:    ptr.To(int64(3600)),
			SuccessfulJobsHistoryLimit: ptr.To(int32(1)),
			FailedJobsHistoryLimit:     ptr.To(int32(3)),
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{
				BackoffLimit: ptr.To(int32(2)), ActiveDeadlineSeconds: ptr.To(int64(600)), Template: l.podTemplate(),
			}},
		},
	}
}

func (l Local) podTemplate() v1.PodTemplateSpec {
	return v1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/name": Renewer, ManagedByLabel: ManagedBy}},
		Spec: v1.PodSpec{
			ServiceAccountName: Renewer,
			RestartPolicy:      v1.RestartPolicyNever,
			// A token must be renewed while the cluster's DNS is down, too.
			DNSPolicy: v1.DNSDefault,
			SecurityContext: &v1.PodSecurityContext{
				RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To(int64(65532)), RunAsGroup: ptr.To(int64(65532)),
				SeccompProfile: &v1.SeccompProfile{Type: v1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []v1.Container{{
				Name:    "renew",
				Image:   l.Image,
				Command: []string{Program},
				Args:    []string{"renew", "--all", "--configmap", l.Namespace + "/" + l.ConfigMap},
				Resources: v1.ResourceRequirements{
					Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("10m"), v1.ResourceMemory: resource.MustParse("32Mi")},
					Limits:   v1.ResourceList{v1.ResourceMemory: resource.MustParse("128Mi")},
				},
				SecurityContext: &v1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true),
					Capabilities: &v1.Capabilities{Drop: []v1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// minute spreads clusters over the hour: members of many clusters aren't asked by all at
// once.
func (l Local) minute() int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(l.UID + l.Namespace)) // it never fails
	return int(hash.Sum32() % 60)
}
