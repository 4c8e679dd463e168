package member

import (
	"net/netip"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// item is all that is kept of an API object. What it is depends on the kind: at
// most one of the pointers is set, and none for a namespace, a ServiceExport, and
// what says nothing that answers need.
type item struct {
	key     string // in model.Data
	service *model.Service
	slice   *model.Slice
	// made is when the object was created, of a ServiceExport.
	made time.Time
	// optedOut is set for a namespace in which Cilium's sign doesn't count.
	optedOut bool
	// triggered is when the change happened that the object was written for; zero
	// where that isn't known.
	triggered time.Time
}

func serviceKey(name, namespace string) string { return name + "." + namespace }

// fromService follows CoreDNS's kubernetes plugin (plugin/kubernetes/object), so
// that answers are the same.
func (t *texts) fromService(s *v1.Service) item {
	to := &model.Service{Key: serviceKey(s.Name, s.Namespace)}
	to.Marked, to.MarkedByCilium = marks(&s.ObjectMeta)
	switch {
	case s.Spec.Type == v1.ServiceTypeExternalName:
		to.Type, to.ExternalName = model.External, s.Spec.ExternalName
	case isHeadless(&s.Spec):
		to.Type = model.Headless
	default:
		to.Type, to.ClusterIPs = model.ClusterIP, clusterIPs(&s.Spec)
	}
	ports := make([]model.Port, 0, len(s.Spec.Ports))
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		ports = append(ports, model.Port{Name: p.Name, Protocol: string(p.Protocol), Number: p.Port})
	}
	to.Ports = t.ports(ports)
	return item{key: to.Key, service: to}
}

func isHeadless(s *v1.ServiceSpec) bool {
	if len(s.ClusterIPs) > 0 {
		return s.ClusterIPs[0] == v1.ClusterIPNone
	}
	return s.ClusterIP == v1.ClusterIPNone
}

func clusterIPs(s *v1.ServiceSpec) []netip.Addr {
	texts := s.ClusterIPs
	if len(texts) == 0 { // written before Kubernetes 1.20
		texts = []string{s.ClusterIP}
	}
	addrs := make([]netip.Addr, 0, len(texts))
	for _, text := range texts {
		if addr, ok := address(text); ok {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

func address(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}

// fromSlice keeps what is ready. A slice that belongs to no Service says nothing.
func (t *texts) fromSlice(s *discovery.EndpointSlice) item {
	to := item{key: s.Namespace + "/" + s.Name, triggered: triggerTime(s.Annotations)}
	name := s.Labels[discovery.LabelServiceName]
	if name == "" {
		return to
	}
	to.slice = &model.Slice{Key: to.key, Service: serviceKey(name, s.Namespace)}
	ports := make([]model.Port, 0, len(s.Ports))
	for i := range s.Ports {
		ports = append(ports, slicePort(&s.Ports[i]))
	}
	to.slice.Ports = t.ports(ports)
	to.slice.Endpoints = t.endpoints(s.Endpoints)
	return to
}

func slicePort(p *discovery.EndpointPort) model.Port {
	to := model.Port{Number: model.NoPort}
	if p.Name != nil {
		to.Name = *p.Name
	}
	if p.Protocol != nil {
		to.Protocol = string(*p.Protocol)
	}
	if p.Port != nil {
		to.Number = *p.Port
	}
	return to
}

// endpoints gives each address of those that are ready, or don't say whether they
// are. Addresses that aren't IP addresses have no record that could tell them.
func (t *texts) endpoints(of []discovery.Endpoint) []model.Endpoint {
	to := make([]model.Endpoint, 0, len(of))
	for i := range of {
		e := &of[i]
		if e.Conditions.Ready != nil && !*e.Conditions.Ready {
			continue
		}
		hostname := t.hostname(e)
		for _, text := range e.Addresses {
			if addr, ok := address(text); ok {
				to = append(to, model.Endpoint{Addr: addr, Hostname: hostname})
			}
		}
	}
	if len(to) == 0 {
		return nil
	}
	if len(to) < cap(to) { // it is kept for long
		to = append(make([]model.Endpoint, 0, len(to)), to...)
	}
	return to
}

// hostname is what the endpoint is called, "" where that is its address with dashes.
func (t *texts) hostname(e *discovery.Endpoint) string {
	switch {
	case e.Hostname != nil && *e.Hostname != "":
		return *e.Hostname
	case t.podNames && e.TargetRef != nil:
		return e.TargetRef.Name
	}
	return ""
}

// triggerTime is the time of the first change in a Pod or Service that this
// version of a slice is for, as its controller notes it.
func triggerTime(annotations map[string]string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, annotations[v1.EndpointsLastChangeTriggerTime])
	if err != nil {
		return time.Time{}
	}
	return t
}

func fromNamespace(n *metav1.PartialObjectMetadata) item {
	return item{key: n.Name, optedOut: optedOut(n.Annotations)}
}

func fromExport(e *metav1.PartialObjectMetadata) item {
	return item{key: serviceKey(e.Name, e.Namespace), made: e.CreationTimestamp.Time}
}
