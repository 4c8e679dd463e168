package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// The labels of an EndpointSlice that is imported (KEP-1645): the ServiceImport that it
// belongs to, and the cluster that it is of.
const (
	LabelImport        = "multicluster.kubernetes.io/service-name"
	labelSourceCluster = "multicluster.kubernetes.io/source-cluster"
)

// serviceImport has the fields of a ServiceImport that answers need. They are alike in
// v1alpha1 and v1beta1. The types of sigs.k8s.io/mcs-api have all of an object allocated,
// managed fields, labels and status included.
type serviceImport struct {
	Metadata struct {
		Name, Namespace, ResourceVersion string
		Annotations                      struct {
			EndsList string `json:"k8s.io/initial-events-end"`
		}
	}
	Spec struct {
		Type  string
		IPs   []string
		Ports []struct {
			Name     string
			Protocol string
			Port     int32
		}
		SessionAffinity       v1.ServiceAffinity
		SessionAffinityConfig *v1.SessionAffinityConfig
		InternalTrafficPolicy *v1.ServiceInternalTrafficPolicy
		TrafficDistribution   *string
	}
}

// importHeadless is the spec.type of an import that stands for its endpoints; the other one
// is ClusterSetIP.
const importHeadless = "Headless"

// ServiceImport decodes a ServiceImport, which is in JSON. A field of another type than its
// own is as if it weren't set.
func (d *Decoder) ServiceImport(message []byte) (*Object, error) {
	if bytes.Count(message, []byte{','}) > maxParts { // no list has more
		return nil, TooLarge("an object's ports and addresses", maxParts)
	}
	i := new(serviceImport)
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(message, i); err != nil && !errors.As(err, &mismatch) {
		return nil, err
	}
	m := metav1.ObjectMeta{Name: i.Metadata.Name, Namespace: i.Metadata.Namespace, ResourceVersion: i.Metadata.ResourceVersion}
	if i.Metadata.Annotations.EndsList != "" {
		m.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: i.Metadata.Annotations.EndsList}
	}
	return newObject(&m, d.fromImport(i)), nil
}

func (d *Decoder) fromImport(i *serviceImport) Item {
	to := &model.Service{Key: serviceKey(i.Metadata.Name, i.Metadata.Namespace), Type: model.Headless}
	if i.Spec.Type != importHeadless {
		to.Type, to.ClusterIPs = model.ClusterIP, oneOfEach(addresses(i.Spec.IPs))
	}
	readTraffic(&v1.ServiceSpec{
		SessionAffinity: i.Spec.SessionAffinity, SessionAffinityConfig: i.Spec.SessionAffinityConfig,
		InternalTrafficPolicy: i.Spec.InternalTrafficPolicy, TrafficDistribution: i.Spec.TrafficDistribution,
	}, to)
	ports := make([]model.Port, 0, len(i.Spec.Ports))
	for _, p := range i.Spec.Ports {
		if p.Protocol == "" {
			p.Protocol = string(v1.ProtocolTCP) // as the API has it
		}
		if p.Port > 0 && p.Port <= 65535 {
			ports = append(ports, model.Port{Name: p.Name, Protocol: p.Protocol, Number: p.Port})
		}
	}
	to.Ports = d.ports.portList(ports)
	return Item{Key: to.Key, Service: to}
}

// oneOfEach returns the first address of each family: a cluster set IP is one of a family.
func oneOfEach(addrs []netip.Addr) []netip.Addr {
	var to []netip.Addr
	for _, addr := range addrs {
		if !slices.ContainsFunc(to, func(other netip.Addr) bool { return other.Is4() == addr.Is4() }) {
			to = append(to, addr)
		}
	}
	return to
}

// ImportedSlice decodes an EndpointSlice that is imported. Its Service is the
// ServiceImport.
func (d *Decoder) ImportedSlice(message []byte) (*Object, error) {
	s, err := decodeSlice(message)
	if err != nil {
		return nil, err
	}
	i := d.fromSlice(s, LabelImport)
	if cluster := s.Labels[labelSourceCluster]; i.Slice != nil && isCluster(cluster) {
		i.Slice.Cluster = cluster
	}
	return newObject(&s.ObjectMeta, i), nil
}

// isCluster reports whether a label's value is a cluster's id, of which names of endpoints can
// be made: a DNS name of one label or two (KEP-2149).
func isCluster(id string) bool {
	return strings.Count(id, ".") <= 1 && len(validation.IsDNS1123Subdomain(strings.ToLower(id))) == 0
}
