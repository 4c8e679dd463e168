// Package decode turns what an API sends into the values of package model: Kubernetes'
// protobuf is read field by field (wire.go, fields.go), ServiceImports are in JSON (json.go,
// import.go), and both become slim values at once (transform.go, marks.go), which share
// what many have in common (intern.go). The API may be the attacker's: bounds.go limits
// what it may have this process allocate.
package decode

import (
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Decoder decodes one member's objects. Any number of goroutines may use it.
type Decoder struct {
	// PodNames has endpoints without a hostname named by their pods.
	PodNames bool

	ports   portInterner
	details detailInterner
}

// Service decodes a Service.
func (d *Decoder) Service(message []byte) (*Object, error) {
	s, err := decodeService(message)
	if err != nil {
		return nil, err
	}
	return newObject(&s.ObjectMeta, d.fromService(s)), nil
}

// Slice decodes an EndpointSlice.
func (d *Decoder) Slice(message []byte) (*Object, error) {
	s, err := decodeSlice(message)
	if err != nil {
		return nil, err
	}
	return newObject(&s.ObjectMeta, d.fromSlice(s, discovery.LabelServiceName)), nil
}

// Namespace decodes a namespace's metadata.
func Namespace(message []byte) (*Object, error) {
	m, err := Metadata(message)
	if err != nil {
		return nil, err
	}
	return newObject(&m.ObjectMeta, Item{Key: m.Name, OptedOut: optedOut(m.Annotations)}), nil
}

// ServiceExport decodes a ServiceExport's metadata.
func ServiceExport(message []byte) (*Object, error) {
	m, err := Metadata(message)
	if err != nil {
		return nil, err
	}
	return newObject(&m.ObjectMeta, Item{Key: serviceKey(m.Name, m.Namespace), Created: m.CreationTimestamp.Time}), nil
}

// Metadata decodes the metadata of an object of any kind.
func Metadata(message []byte) (*metav1.PartialObjectMetadata, error) {
	o := new(metav1.PartialObjectMetadata)
	return o, fields(message, func(f field) error {
		if f.number == 1 {
			return readMeta(f.bytes, &o.ObjectMeta)
		}
		return nil
	})
}
