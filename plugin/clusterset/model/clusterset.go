package model

import (
	"net/netip"
	"reflect"
)

// ClusterSet is the list of clusters that trust each other, as in its document: members in
// their order, policies by precedence.
type ClusterSet struct {
	Clusters []*Cluster
	Policies []Policy
}

// Cluster is one member of a ClusterSet. Names are lower case, domains fully
// qualified and lower case.
type Cluster struct {
	// Name has one or two labels: "c1" or "c1.eu".
	Name string
	// ServiceCIDRs has at least one prefix; PodCIDRs may be empty.
	ServiceCIDRs []netip.Prefix
	PodCIDRs     []netip.Prefix
	// DNS are the addresses of the member's DNS service, at least one.
	DNS []Upstream
	// ClusterDomain is the member's own domain: "cluster.local.".
	ClusterDomain string
	// EndpointPodNames is set where the member's kubernetes plugin has
	// endpoint_pod_names: an endpoint without a hostname is named by its pod.
	EndpointPodNames bool
	TLS              TLS
	Kubeconfig       Kubeconfig
	// Network groups members that reach each other's service addresses.
	Network string
	// Gateways are what clients in another network get instead.
	Gateways []netip.Addr
	// LoadBalancerCIDRs are where the addresses of its load balancers are; may be
	// empty.
	LoadBalancerCIDRs []netip.Prefix
	// Reach is which of its addresses clients elsewhere can connect to, in the order to prefer;
	// nil for ReachFrom's defaults.
	Reach []Reach
	// Namespaces are those whose services may be reached from other clusters, nil for all; a
	// name may be "*", or end in it.
	Namespaces []string
	// Probe is the URL that proves the member's gateway alive, or "".
	Probe  string
	Region string
	Zone   string
}

// Equal reports whether c and o describe the same member in the same way, so that what was
// built for one can be used for the other.
func (c *Cluster) Equal(o *Cluster) bool { return reflect.DeepEqual(c, o) }

// Scheme is the transport of an upstream.
type Scheme string

// The schemes a document may write. DNS asks over the client's own protocol,
// TCP always over TCP.
const (
	DNS   Scheme = "dns"
	TCP   Scheme = "tcp"
	DoT   Scheme = "tls"
	HTTPS Scheme = "https"
	QUIC  Scheme = "quic"
)

// Upstream is one address of a member's DNS service.
type Upstream struct {
	Scheme Scheme
	Addr   netip.AddrPort
}

// String returns the document's form: "10.101.0.10:53", "tls://[fd00::a]:853".
func (u Upstream) String() string {
	if u.Scheme == DNS {
		return u.Addr.String()
	}
	return string(u.Scheme) + "://" + u.Addr.String()
}

// Encrypted reports whether the upstream is asked over TLS.
func (u Upstream) Encrypted() bool {
	return u.Scheme == DoT || u.Scheme == HTTPS || u.Scheme == QUIC
}

// TLS is how a member's encrypted upstreams are verified, and which client certificate they
// get. Secret and the files exclude each other; neither means the system's certificate
// authorities and no client certificate.
type TLS struct {
	ServerName string
	Secret     ObjectName
	CAFile     string
	CertFile   string
	KeyFile    string
}

// Files returns the paths that t names.
func (t TLS) Files() []string {
	var paths []string
	for _, path := range []string{t.CAFile, t.CertFile, t.KeyFile} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// Source returns t without what doesn't say where its credentials come from.
func (t TLS) Source() TLS {
	t.ServerName = ""
	return t
}

// ObjectName names a Kubernetes object; the zero value is none.
type ObjectName struct {
	Namespace, Name string
}

// String returns "namespace/name", or "" for none.
func (o ObjectName) String() string {
	if o == (ObjectName{}) {
		return ""
	}
	return o.Namespace + "/" + o.Name
}

// Kubeconfig is where the credentials for a member's API come from: the key of
// a Secret, or a file; the zero value is none.
type Kubeconfig struct {
	Secret  ObjectName
	Key     string
	File    string
	Context string
}
