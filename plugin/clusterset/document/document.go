package discovery

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// The one version of the document there is so far.
const (
	apiVersion = "clusterset/v1alpha1"
	kind       = "ClusterSet"
)

// document is a ClusterSet document as it is written: DESIGN.md section 3.
type document struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Clusters   []*cluster `json:"clusters"` // nil for one of a wrong type
	Policies   []*policy  `json:"policies"` // likewise
}

type cluster struct {
	Name              string      `json:"name"`
	ServiceCIDRs      []string    `json:"serviceCIDRs"`
	PodCIDRs          []string    `json:"podCIDRs"`
	DNS               []string    `json:"dns"`
	ClusterDomain     string      `json:"clusterDomain"`
	EndpointPodNames  bool        `json:"endpointPodNames"`
	TLS               *tlsFields  `json:"tls"`
	Kubeconfig        *kubeconfig `json:"kubeconfig"`
	Network           string      `json:"network"`
	Gateways          []string    `json:"gateways"`
	LoadBalancerCIDRs []string    `json:"loadBalancerCIDRs"`
	Probe             string      `json:"probe"`
	Region            string      `json:"region"`
	Zone              string      `json:"zone"`
}

type tlsFields struct {
	ServerName string `json:"serverName"`
	Secret     string `json:"secret"`
	CAFile     string `json:"caFile"`
	CertFile   string `json:"certFile"`
	KeyFile    string `json:"keyFile"`
}

type kubeconfig struct {
	Secret  string `json:"secret"`
	Key     string `json:"key"`
	File    string `json:"file"`
	Context string `json:"context"`
}

type policy struct {
	Services []string       `json:"services"`
	Affinity string         `json:"affinity"`
	Weights  map[string]int `json:"weights"`
	Failover []string       `json:"failover"`
}

// Parse reads documents, by their keys (a ConfigMap's, or a file's name), into
// one ClusterSet: members and policies in the order of the keys. The error
// joins everything that is wrong with any of them, each as
// `KEY: PATH: "VALUE": what is wrong`.
func Parse(documents map[string]string) (*model.ClusterSet, error) {
	keys := make([]string, 0, len(documents))
	for key := range documents {
		keys = append(keys, key)
	}
	slices.Sort(keys)

	set, left := &model.ClusterSet{}, newBudget()
	v := validation{members: make(map[string]string), refers: make(map[string]int)}
	for _, key := range keys {
		v.key = key
		if v.read(documents[key], left, set); v.tooMuch != nil {
			return nil, v.tooMuch
		}
	}
	if !v.unread {
		v.references()
	}
	if len(v.errs) == 0 && len(set.Clusters) == 0 {
		v.add(fmt.Errorf("%s: clusters: none; a ClusterSet has at least one", cmp.Or(strings.Join(keys, ", "), "no document")))
	}
	if v.more > 0 {
		v.errs = append(v.errs, fmt.Errorf("... and %d more", v.more))
	}
	if len(v.errs) > 0 {
		return nil, errors.Join(v.errs...)
	}
	return set, nil
}

// read adds one document's members and policies to the set.
func (v *validation) read(text string, left *budget, set *model.ClusterSet) {
	doc, errs := decode(text, left)
	for _, err := range errs {
		v.errorf("", "%w", err)
		v.unread = v.unread || doc == nil || isTypeError(err)
	}
	if doc != nil {
		v.document(doc, set)
	}
}
