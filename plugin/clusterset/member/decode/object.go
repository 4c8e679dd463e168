package decode

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Item is all that is kept of an API object. At most one of the pointers is set: none for
// a namespace, a ServiceExport, and an object that answers don't need.
type Item struct {
	// Key is the one in model.Data.
	Key     string
	Service *model.Service
	Slice   *model.Slice
	// Created is a ServiceExport's creation time.
	Created time.Time
	// OptedOut is set for a namespace whose annotation opts out of Cilium's marks.
	OptedOut bool
	// Dropped is set where an item of a list isn't wanted: nothing else than its Key is kept.
	Dropped bool
	// Triggered is the time of the change that the object was written for, zero where it
	// isn't known.
	Triggered time.Time
}

// Object is what a Reflector gets for an API object: the Item, and the metadata that the
// Reflector reads itself.
type Object struct {
	name, namespace, version string
	// EndsList is set in the bookmark that ends a streamed list.
	EndsList bool
	Item     Item
}

// List is a list of them, or a page of one.
type List struct {
	metav1.ListMeta
	Items []*Object
}

func newObject(m *metav1.ObjectMeta, i Item) *Object {
	return &Object{
		name: m.Name, namespace: m.Namespace, version: m.ResourceVersion,
		EndsList: m.Annotations[metav1.InitialEventsAnnotationKey] == yes, Item: i,
	}
}

// GetObjectMeta is what client-go reads the metadata by.
func (o *Object) GetObjectMeta() metav1.Object {
	m := &metav1.ObjectMeta{Name: o.name, Namespace: o.namespace, ResourceVersion: o.version}
	if o.EndsList {
		m.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: yes}
	}
	return m
}

// GetObjectKind is part of runtime.Object. All of a Reflector's objects are of one kind.
func (*Object) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject is part of runtime.Object. Objects are immutable.
func (o *Object) DeepCopyObject() runtime.Object { return o }

// GetObjectKind is part of runtime.Object.
func (*List) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject is part of runtime.Object.
func (l *List) DeepCopyObject() runtime.Object { return l }
