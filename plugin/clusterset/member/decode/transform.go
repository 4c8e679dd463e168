package decode

import (
	"net/netip"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func serviceKey(name, namespace string) string { return name + "." + namespace }

// fromService follows CoreDNS's kubernetes plugin (plugin/kubernetes/object), so that
// answers are equal.
func (d *Decoder) fromService(s *v1.Service) Item {
	to := &model.Service{Key: serviceKey(s.Name, s.Namespace)}
	readMarks(&s.ObjectMeta, to)
	readTraffic(&s.Spec, to)
	to.Outside = outside(s)
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
	to.Ports = d.ports.portList(ports)
	return Item{Key: to.Key, Service: to}
}

func isHeadless(s *v1.ServiceSpec) bool {
	if len(s.ClusterIPs) > 0 {
		return s.ClusterIPs[0] == v1.ClusterIPNone
	}
	return s.ClusterIP == v1.ClusterIPNone
}

func clusterIPs(s *v1.ServiceSpec) []netip.Addr {
	if len(s.ClusterIPs) == 0 { // written before Kubernetes 1.20
		return addresses([]string{s.ClusterIP})
	}
	return addresses(s.ClusterIPs)
}

// defaultSessionTimeout is the API server's default, in seconds.
const defaultSessionTimeout = 10800

// readTraffic sets how a Service's traffic is to be routed.
func readTraffic(s *v1.ServiceSpec, to *model.Service) {
	to.InternalLocal = s.InternalTrafficPolicy != nil && *s.InternalTrafficPolicy == v1.ServiceInternalTrafficPolicyLocal
	if s.TrafficDistribution != nil {
		switch *s.TrafficDistribution {
		case v1.ServiceTrafficDistributionPreferSameZone, v1.ServiceTrafficDistributionPreferClose:
			to.Distribution = model.PreferSameZone
		case v1.ServiceTrafficDistributionPreferSameNode:
			to.Distribution = model.PreferSameNode
		}
	}
	if s.SessionAffinity == v1.ServiceAffinityClientIP {
		to.SessionAffinity = defaultSessionTimeout
		if c := s.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil && *c.ClientIP.TimeoutSeconds > 0 {
			to.SessionAffinity = uint32(*c.ClientIP.TimeoutSeconds)
		}
	}
}

// outside returns nil for a Service without load balancers and external IPs.
func outside(s *v1.Service) *model.Outside {
	var to model.Outside
	if len(s.Spec.ExternalIPs) > 0 {
		to.ExternalIPs = addresses(s.Spec.ExternalIPs)
	}
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if addr, ok := address(ingress.IP); ok {
			to.LoadBalancers = append(to.LoadBalancers, addr)
		}
		if ingress.Hostname != "" {
			to.Hostnames = append(to.Hostnames, ingress.Hostname)
		}
	}
	if len(to.ExternalIPs)+len(to.LoadBalancers)+len(to.Hostnames) == 0 {
		return nil
	}
	return &to
}

// addresses returns those of the texts that are IP addresses.
func addresses(texts []string) []netip.Addr {
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

// fromSlice keeps the slices of Services, which are named by that label.
func (d *Decoder) fromSlice(s *discovery.EndpointSlice, label string) Item {
	to := Item{Key: s.Namespace + "/" + s.Name, Triggered: triggerTime(s.Annotations)}
	name := s.Labels[label]
	if name == "" {
		return to
	}
	to.Slice = &model.Slice{Key: to.Key, Service: serviceKey(name, s.Namespace)}
	ports := make([]model.Port, 0, len(s.Ports))
	for i := range s.Ports {
		ports = append(ports, slicePort(&s.Ports[i]))
	}
	to.Slice.Ports = d.ports.portList(ports)
	to.Slice.Endpoints = d.endpoints(s.Endpoints, true)
	if rest := d.endpoints(s.Endpoints, false); rest != nil {
		to.Slice.NotReady = &rest
	}
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

// endpoints returns one endpoint for each IP address of those that are ready, or that
// aren't. One that doesn't say so is.
func (d *Decoder) endpoints(of []discovery.Endpoint, ready bool) []model.Endpoint {
	to := make([]model.Endpoint, 0, countReady(of, ready))
	for i := range of {
		e := &of[i]
		if isTrue(e.Conditions.Ready, true) != ready {
			continue
		}
		hostname, detail := d.hostname(e), d.details.detail(e)
		for _, text := range e.Addresses {
			if addr, ok := address(text); ok {
				to = append(to, model.Endpoint{Addr: addr, Hostname: hostname, Detail: detail})
			}
		}
	}
	if len(to) == 0 {
		return nil
	}
	if len(to) < cap(to) { // long-lived
		to = append(make([]model.Endpoint, 0, len(to)), to...)
	}
	return to
}

func countReady(of []discovery.Endpoint, ready bool) int {
	count := 0
	for i := range of {
		if isTrue(of[i].Conditions.Ready, true) == ready {
			count++
		}
	}
	return count
}

func isTrue(condition *bool, unset bool) bool {
	if condition == nil {
		return unset
	}
	return *condition
}

// hostname returns the endpoint's hostname, "" where it is named by its address.
func (d *Decoder) hostname(e *discovery.Endpoint) string {
	switch {
	case e.Hostname != nil && *e.Hostname != "":
		return *e.Hostname
	case d.PodNames && e.TargetRef != nil:
		return e.TargetRef.Name
	}
	return ""
}

// triggerTime returns the time of the first change of a Pod or Service that this version
// of a slice was written for, as its controller annotates it.
func triggerTime(annotations map[string]string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, annotations[v1.EndpointsLastChangeTriggerTime])
	if err != nil {
		return time.Time{}
	}
	return t
}
