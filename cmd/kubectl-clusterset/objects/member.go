package objects

import (
	_ "embed" // the member's objects
	"fmt"
	"hash/fnv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// memberYAML is deploy/kustomize/member/rbac.yaml; a test compares them.
//
//go:embed member.yaml
var memberYAML string

// Use is who uses a member's reader: the ClusterSet of a cluster, whose kube-system has the
// uid, under a name for the member.
type Use struct{ UID, ConfigMap, Member string }

// annotation is a key for each Use, short enough to be one.
func (u Use) annotation() string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(u.String())) // it never fails
	return fmt.Sprintf("%s%s.%08x", usedBy, u.UID, hash.Sum32())
}

func (u Use) String() string { return u.ConfigMap + " " + u.Member }

// MemberObjects returns what join makes in the member. The first is the ServiceAccount.
func MemberObjects() []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	for text := range strings.SplitSeq(memberYAML, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			panic(err) // a test reads it too
		}
		label(o)
		objects = append(objects, o)
	}
	return objects
}

// MemberObjectsFor returns them with the mark of a cluster that uses them.
func MemberObjectsFor(by Use) []*unstructured.Unstructured {
	objects := MemberObjects()
	objects[0].SetAnnotations(map[string]string{by.annotation(): by.String()})
	return objects
}
