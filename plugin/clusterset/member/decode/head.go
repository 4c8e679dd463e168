package decode

import (
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Head is what says whether an object is wanted, before anything is allocated for it.
type Head struct {
	// Service is the Key of the Service that the object is, or is a slice of; "" is none.
	Service string
	// Marked is set where a label or an annotation may export the Service.
	Marked bool
}

// ServiceHead reads a Service's.
func ServiceHead(message []byte) (Head, error) {
	h, err := readHead(message)
	return Head{serviceKey(string(h.name), string(h.namespace)), h.marked}, err
}

// SliceHead reads an EndpointSlice's.
func SliceHead(message []byte) (Head, error) {
	h, err := readHead(message)
	if len(h.service) == 0 {
		return Head{}, err
	}
	return Head{Service: serviceKey(string(h.service), string(h.namespace))}, err
}

// head is of parts of a message.
type head struct {
	name, namespace, service []byte
	marked                   bool
}

func readHead(message []byte) (h head, err error) {
	return h, nested(field{bytes: message}, func(meta field) error {
		return fields(meta.bytes, func(f field) error {
			switch f.number {
			case 1:
				h.name = f.bytes
			case 3:
				h.namespace = f.bytes
			case 11, 12:
				return h.readEntry(f.bytes)
			}
			return nil
		})
	})
}

// readEntry reads a label or an annotation.
func (h *head) readEntry(message []byte) error {
	key, value, err := entry(message)
	switch {
	case err != nil || !keptKeys[string(key)]:
	case string(key) == discovery.LabelServiceName:
		h.service = value
	case string(key) != v1.EndpointsLastChangeTriggerTime && string(key) != metav1.InitialEventsAnnotationKey:
		h.marked = true
	}
	return err
}
