package member

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// object is what a Reflector is given of an API object: an item, and what it looks
// at itself.
type object struct {
	name, namespace, version string
	// last is set in the bookmark that ends a streamed list.
	last bool
	item item
}

// objects are a list of them, or a page of it.
type objects struct {
	metav1.ListMeta
	Items []*object
}

// newObject makes an object of decoded metadata and what was made of the rest.
func newObject(m *metav1.ObjectMeta, i item) *object {
	return &object{
		name: m.Name, namespace: m.Namespace, version: m.ResourceVersion,
		last: m.Annotations[metav1.InitialEventsAnnotationKey] == yes, item: i,
	}
}

// GetObjectMeta is for client-go, which finds its way by it.
func (o *object) GetObjectMeta() metav1.Object {
	m := &metav1.ObjectMeta{Name: o.name, Namespace: o.namespace, ResourceVersion: o.version}
	if o.last {
		m.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: yes}
	}
	return m
}

// GetObjectKind is part of runtime.Object; all of a Reflector's are of one kind.
func (*object) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject is part of runtime.Object; nobody changes an object.
func (o *object) DeepCopyObject() runtime.Object { return o }

// GetObjectKind is part of runtime.Object.
func (*objects) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject is part of runtime.Object.
func (o *objects) DeepCopyObject() runtime.Object { return o }
