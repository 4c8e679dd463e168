package decode

import (
	"errors"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The fields that answers need; their numbers are those of generated.proto beside the
// types. The others are never allocated: two bytes may be an empty managedFields entry,
// or a whole Service of a list, which takes some hundred bytes.

// keptKeys are the labels and annotations that are kept.
var keptKeys = map[string]bool{
	discovery.LabelServiceName:        true,
	linkerdExported:                   true,
	linkerdFederated:                  true,
	ciliumGlobal:                      true,
	ciliumGlobalAlias:                 true,
	ciliumShared:                      true,
	ciliumSharedAlias:                 true,
	ciliumNamespace:                   true,
	v1.EndpointsLastChangeTriggerTime: true,
	metav1.InitialEventsAnnotationKey: true,
}

// parts counts an object's ports, endpoints and addresses.
type parts int

func (p *parts) add() error {
	if *p++; *p > maxParts {
		return TooLarge("an object's ports, endpoints and addresses", maxParts)
	}
	return nil
}

func readMeta(message []byte, to *metav1.ObjectMeta) error {
	return fields(message, func(f *field) (err error) {
		switch f.number {
		case 1:
			to.Name = f.text()
		case 3:
			to.Namespace = f.text()
		case 5:
			to.UID = types.UID(f.bytes)
		case 6:
			to.ResourceVersion = f.text()
		case 8:
			to.CreationTimestamp, err = decodeTime(f.bytes)
		case 11:
			to.Labels, err = withEntry(to.Labels, f.bytes)
		case 12:
			to.Annotations, err = withEntry(to.Annotations, f.bytes)
		}
		return err
	})
}

func decodeTime(message []byte) (t metav1.Time, err error) {
	err = fields(message, func(f *field) error {
		if f.number == 1 {
			t = metav1.Time{Time: time.Unix(int64(f.value), 0)}
		}
		return nil
	})
	return t, err
}

// withEntry adds an entry of a map, if its key is kept.
func withEntry(to map[string]string, message []byte) (map[string]string, error) {
	var key, value []byte
	err := fields(message, func(f *field) error {
		switch f.number {
		case 1:
			key = f.bytes
		case 2:
			value = f.bytes
		}
		return nil
	})
	if err != nil || !keptKeys[string(key)] {
		return to, err
	}
	if to == nil {
		to = make(map[string]string, 1)
	}
	to[string(key)] = string(value)
	return to, nil
}

func decodeService(message []byte) (*v1.Service, error) {
	s, count := new(v1.Service), new(parts)
	return s, fields(message, func(f *field) error {
		switch f.number {
		case 1:
			return readMeta(f.bytes, &s.ObjectMeta)
		case 2:
			return readServiceSpec(f.bytes, &s.Spec, count)
		}
		return nil
	})
}

func readServiceSpec(message []byte, to *v1.ServiceSpec, count *parts) error {
	return fields(message, func(f *field) error {
		switch f.number {
		case 1:
			port, err := decodeServicePort(f.bytes)
			to.Ports = append(to.Ports, port)
			return errors.Join(err, count.add())
		case 3:
			to.ClusterIP = f.text()
		case 4:
			to.Type = v1.ServiceType(f.bytes)
		case 10:
			to.ExternalName = f.text()
		case 18:
			to.ClusterIPs = append(to.ClusterIPs, f.text())
			return count.add()
		}
		return nil
	})
}

func decodeServicePort(message []byte) (p v1.ServicePort, err error) {
	err = fields(message, func(f *field) error {
		switch f.number {
		case 1:
			p.Name = f.text()
		case 2:
			p.Protocol = v1.Protocol(f.bytes)
		case 3:
			p.Port = int32(f.value)
		}
		return nil
	})
	return p, err
}

func decodeSlice(message []byte) (*discovery.EndpointSlice, error) {
	s, count := new(discovery.EndpointSlice), new(parts)
	return s, fields(message, func(f *field) error {
		switch f.number {
		case 1:
			return readMeta(f.bytes, &s.ObjectMeta)
		case 2:
			endpoint, err := decodeEndpoint(f.bytes, count)
			s.Endpoints = append(s.Endpoints, endpoint)
			return errors.Join(err, count.add())
		case 3:
			port, err := decodeEndpointPort(f.bytes)
			s.Ports = append(s.Ports, port)
			return errors.Join(err, count.add())
		}
		return nil
	})
}

func decodeEndpoint(message []byte, count *parts) (e discovery.Endpoint, err error) {
	err = fields(message, func(f *field) (err error) {
		switch f.number {
		case 1:
			e.Addresses = append(e.Addresses, f.text())
			return count.add()
		case 2:
			e.Conditions.Ready, err = decodeReady(f.bytes, e.Conditions.Ready)
		case 3:
			e.Hostname = new(f.text())
		case 4:
			e.TargetRef, err = decodeReference(f.bytes)
		}
		return err
	})
	return e, err
}

func decodeReady(message []byte, ready *bool) (*bool, error) {
	err := fields(message, func(f *field) error {
		if f.number == 1 {
			ready = new(f.value != 0)
		}
		return nil
	})
	return ready, err
}

func decodeReference(message []byte) (*v1.ObjectReference, error) {
	r := new(v1.ObjectReference)
	return r, fields(message, func(f *field) error {
		if f.number == 3 {
			r.Name = f.text()
		}
		return nil
	})
}

func decodeEndpointPort(message []byte) (p discovery.EndpointPort, err error) {
	err = fields(message, func(f *field) error {
		switch f.number {
		case 1:
			p.Name = new(f.text())
		case 2:
			p.Protocol = new(v1.Protocol(f.bytes))
		case 3:
			p.Port = new(int32(f.value))
		}
		return nil
	})
	return p, err
}
