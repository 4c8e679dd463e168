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
	LabelImport:                       true,
	labelSourceCluster:                true,
	linkerdExported:                   true,
	linkerdFederated:                  true,
	ciliumGlobal:                      true,
	ciliumGlobalAlias:                 true,
	ciliumShared:                      true,
	ciliumSharedAlias:                 true,
	ciliumAffinity:                    true,
	ciliumAffinityAlias:               true,
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
	return fields(message, func(f field) (err error) {
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
	err = fields(message, func(f field) error {
		if f.number == 1 {
			t = metav1.Time{Time: time.Unix(int64(f.value), 0)}
		}
		return nil
	})
	return t, err
}

// withEntry adds an entry of a map, if its key is kept.
func withEntry(to map[string]string, message []byte) (map[string]string, error) {
	key, value, err := entry(message)
	if err != nil || !keptKeys[string(key)] {
		return to, err
	}
	if to == nil {
		to = make(map[string]string, 1)
	}
	to[string(key)] = string(value)
	return to, nil
}

// entry reads an entry of a map.
func entry(message []byte) (key, value []byte, err error) {
	err = fields(message, func(f field) error {
		switch f.number {
		case 1:
			key = f.bytes
		case 2:
			value = f.bytes
		}
		return nil
	})
	return key, value, err
}

func decodeService(message []byte) (*v1.Service, error) {
	s, count := new(v1.Service), new(parts)
	return s, fields(message, func(f field) error {
		switch f.number {
		case 1:
			return readMeta(f.bytes, &s.ObjectMeta)
		case 2:
			return readServiceSpec(f.bytes, &s.Spec, count)
		case 3:
			return nested(f, func(balancer field) error {
				return nested(balancer, func(ingress field) error {
					i, err := decodeIngress(ingress.bytes)
					s.Status.LoadBalancer.Ingress = append(s.Status.LoadBalancer.Ingress, i)
					return errors.Join(err, count.add())
				})
			})
		}
		return nil
	})
}

// nested calls each with the fields of number 1 of a field that is a message.
func nested(f field, each func(field) error) error {
	return fields(f.bytes, func(f field) error {
		if f.number == 1 {
			return each(f)
		}
		return nil
	})
}

func decodeIngress(message []byte) (i v1.LoadBalancerIngress, err error) {
	err = fields(message, func(f field) error {
		switch f.number {
		case 1:
			i.IP = f.text()
		case 2:
			i.Hostname = f.text()
		}
		return nil
	})
	return i, err
}

func readServiceSpec(message []byte, to *v1.ServiceSpec, count *parts) error {
	return fields(message, func(f field) error {
		switch f.number {
		case 1:
			port, err := decodeServicePort(f.bytes)
			to.Ports = append(to.Ports, port)
			return errors.Join(err, count.add())
		case 3:
			to.ClusterIP = f.text()
		case 4:
			to.Type = v1.ServiceType(f.bytes)
		case 5:
			to.ExternalIPs = append(to.ExternalIPs, f.text())
			return count.add()
		case 7:
			to.SessionAffinity = v1.ServiceAffinity(f.bytes)
		case 10:
			to.ExternalName = f.text()
		case 14:
			return readSessionAffinity(f, to)
		case 18:
			to.ClusterIPs = append(to.ClusterIPs, f.text())
			return count.add()
		case 22:
			to.InternalTrafficPolicy = new(v1.ServiceInternalTrafficPolicy(f.bytes))
		case 23:
			to.TrafficDistribution = new(f.text())
		}
		return nil
	})
}

// readSessionAffinity reads sessionAffinityConfig.clientIP.timeoutSeconds.
func readSessionAffinity(config field, to *v1.ServiceSpec) error {
	return nested(config, func(client field) error {
		return nested(client, func(timeout field) error {
			to.SessionAffinityConfig = &v1.SessionAffinityConfig{ClientIP: &v1.ClientIPConfig{TimeoutSeconds: new(int32(timeout.value))}}
			return nil
		})
	})
}

func decodeServicePort(message []byte) (p v1.ServicePort, err error) {
	err = fields(message, func(f field) error {
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
	return s, fields(message, func(f field) error {
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
	err = fields(message, func(f field) (err error) {
		switch f.number {
		case 1:
			e.Addresses = append(e.Addresses, f.text())
			return count.add()
		case 2:
			return readConditions(f.bytes, &e.Conditions)
		case 3:
			e.Hostname = new(f.text())
		case 4:
			e.TargetRef, err = decodeReference(f.bytes)
		case 7:
			e.Zone = new(f.text())
		case 8:
			return nested(f, func(zone field) error {
				return nested(zone, func(name field) error {
					if e.Hints == nil {
						e.Hints = new(discovery.EndpointHints)
					}
					e.Hints.ForZones = append(e.Hints.ForZones, discovery.ForZone{Name: name.text()})
					return count.add()
				})
			})
		}
		return err
	})
	return e, err
}

func readConditions(message []byte, to *discovery.EndpointConditions) error {
	return fields(message, func(f field) error {
		switch f.number {
		case 1:
			to.Ready = new(f.value != 0)
		case 2:
			to.Serving = new(f.value != 0)
		case 3:
			to.Terminating = new(f.value != 0)
		}
		return nil
	})
}

func decodeReference(message []byte) (*v1.ObjectReference, error) {
	r := new(v1.ObjectReference)
	return r, fields(message, func(f field) error {
		if f.number == 3 {
			r.Name = f.text()
		}
		return nil
	})
}

func decodeEndpointPort(message []byte) (p discovery.EndpointPort, err error) {
	err = fields(message, func(f field) error {
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
