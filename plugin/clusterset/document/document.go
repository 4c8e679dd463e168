package document

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The one version of the document there is so far.
const (
	APIVersion = "clusterset/v1alpha1"
	Kind       = "ClusterSet"
)

// Suffix ends the keys of a ConfigMap that are documents.
const Suffix = ".yaml"

// Of returns the documents in a ConfigMap's data.
func Of(data map[string]string) map[string]string {
	documents := make(map[string]string)
	for key, text := range data {
		if strings.HasSuffix(key, Suffix) {
			documents[key] = text
		}
	}
	return documents
}

// Document is a ClusterSet document as it is written. A list's item of a wrong type is
// nil.
type Document struct {
	APIVersion string     `yaml:"apiVersion"`
	Kind       string     `yaml:"kind"`
	Clusters   []*Cluster `yaml:"clusters"`
	Policies   []*Policy  `yaml:"policies,omitempty"`
}

// Cluster is one member as it is written; what isn't given is the zero value.
type Cluster struct {
	Name              string      `yaml:"name"`
	ServiceCIDRs      []string    `yaml:"serviceCIDRs,omitempty,flow"`
	PodCIDRs          []string    `yaml:"podCIDRs,omitempty,flow"`
	DNS               []string    `yaml:"dns,omitempty,flow"`
	ClusterDomain     string      `yaml:"clusterDomain,omitempty"`
	EndpointPodNames  bool        `yaml:"endpointPodNames,omitempty"`
	TLS               *TLS        `yaml:"tls,omitempty,flow"`
	Kubeconfig        *Kubeconfig `yaml:"kubeconfig,omitempty,flow"`
	Network           string      `yaml:"network,omitempty"`
	Reach             Choice      `yaml:"reach,omitempty,flow"`
	Gateways          []string    `yaml:"gateways,omitempty,flow"`
	LoadBalancerCIDRs []string    `yaml:"loadBalancerCIDRs,omitempty,flow"`
	Probe             string      `yaml:"probe,omitempty"`
	Namespaces        Choice      `yaml:"namespaces,omitempty,flow"`
	Region            string      `yaml:"region,omitempty"`
	Zone              string      `yaml:"zone,omitempty"`
}

// Choice is a list that chooses some of what there is. Left out it chooses all, or a default; so
// an empty one, which would choose nothing, is an error, and not nil.
type Choice []string

// TLS is how a member's encrypted upstreams are verified: with a Secret, or files.
type TLS struct {
	ServerName string `yaml:"serverName,omitempty"`
	Secret     string `yaml:"secret,omitempty"`
	CAFile     string `yaml:"caFile,omitempty"`
	CertFile   string `yaml:"certFile,omitempty"`
	KeyFile    string `yaml:"keyFile,omitempty"`
}

// Kubeconfig is where a member's kubeconfig is: in a Secret, or a file.
type Kubeconfig struct {
	Secret  string `yaml:"secret,omitempty"`
	Key     string `yaml:"key,omitempty"`
	File    string `yaml:"file,omitempty"`
	Context string `yaml:"context,omitempty"`
}

// Policy is how the members that answer a clusterset-wide name are chosen.
type Policy struct {
	Services []string       `yaml:"services,flow"`
	Allow    Choice         `yaml:"allow,omitempty,flow"`
	Affinity string         `yaml:"affinity,omitempty"`
	Weights  map[string]int `yaml:"weights,omitempty,flow"`
	Failover []string       `yaml:"failover,omitempty,flow"`
}

// Write returns the document as YAML, which Parse reads as the same document.
func (d *Document) Write() ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(d); err != nil {
		return nil, err
	}
	return text.Bytes(), encoder.Close()
}
