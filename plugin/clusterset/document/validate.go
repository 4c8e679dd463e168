package discovery

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Bounds of an error's text, in errors and bytes: what a log line, or a reader, can
// take of a document that is wrong all over, and of what an API says.
const (
	maxErrors = 20
	maxError  = 400
	maxQuoted = 200
	maxSaid   = 256
	maxBrief  = 100 // for a client
)

// Bounds of lists: what is done for each pair of a list's values, and of members,
// stays quick.
const (
	maxMembers = 5000
	maxList    = 1000
	// maxUpstreams is for all members together. Each has 13 KB, its metrics most of it.
	maxUpstreams = 2 * maxMembers
	// maxPlace is in bytes.
	maxPlace = 253
)

// validation turns documents into model values and collects what is wrong with
// them. Its methods return the zero value for what is wrong.
type validation struct {
	key  string
	errs []error // maxErrors at the most
	more int     // beside them
	// tooMuch is the one that ends the reading.
	tooMuch error
	// members maps each name to where it was given first.
	members map[string]string
	// unread is set when a member may be missing from members.
	unread bool
	// upstreams is how many all members have so far.
	upstreams int
	// referred are the members that policies name and that no document before has, with
	// where they do: each of them maxErrors times, as refers counts.
	referred []reference
	refers   map[string]int
}

type reference struct{ key, path, member string }

// add keeps an error, as far as a log line, or a reader, can take it.
func (v *validation) add(err error) {
	if isTooMuch(err) && v.tooMuch == nil {
		v.tooMuch = errors.New(quoted.Ends(err.Error(), maxError))
	}
	if len(v.errs) == maxErrors {
		v.more++
		return
	}
	v.errs = append(v.errs, errors.New(quoted.Ends(err.Error(), maxError)))
}

func (v *validation) errorf(path, format string, args ...any) {
	where := v.key
	if path != "" {
		where += ": " + path
	}
	v.add(fmt.Errorf("%s: "+format, append([]any{where}, args...)...))
}

// wrong reports a value, as `KEY: PATH: "VALUE": what is wrong`.
func (v *validation) wrong(path, value, what string) {
	v.errorf(path, "%q: %s", quoted.Cut(value, maxQuoted), what)
}

func (v *validation) document(doc *document, set *model.ClusterSet) {
	if doc.APIVersion != apiVersion {
		v.wrong("apiVersion", doc.APIVersion, "not "+apiVersion)
	}
	if doc.Kind != kind {
		v.wrong("kind", doc.Kind, "not "+kind)
	}
	for i, c := range doc.Clusters {
		if len(set.Clusters) == maxMembers {
			v.errorf("clusters", "%w", tooMuch{fmt.Errorf("a ClusterSet has %d members at most, in all documents together", maxMembers)})
			return
		}
		if c != nil {
			set.Clusters = append(set.Clusters, v.cluster(fmt.Sprintf("clusters[%d]", i), c))
		}
		if v.upstreams > maxUpstreams {
			v.errorf(fmt.Sprintf("clusters[%d].dns", i), "%w", tooMuch{fmt.Errorf("the members of a ClusterSet have %d upstreams at most, in all documents together", maxUpstreams)})
			return
		}
	}
	for i, p := range doc.Policies {
		if p != nil {
			set.Policies = append(set.Policies, v.policy(fmt.Sprintf("policies[%d]", i), p))
		}
	}
}

func (v *validation) cluster(path string, c *cluster) *model.Cluster {
	m := &model.Cluster{
		Name:              v.name(path+".name", c.Name),
		ServiceCIDRs:      v.prefixes(path+".serviceCIDRs", c.ServiceCIDRs),
		PodCIDRs:          v.prefixes(path+".podCIDRs", c.PodCIDRs),
		ClusterDomain:     v.domain(path+".clusterDomain", c.ClusterDomain),
		EndpointPodNames:  c.EndpointPodNames,
		TLS:               v.tls(path+".tls", c.TLS),
		Kubeconfig:        v.kubeconfig(path+".kubeconfig", c.Kubeconfig),
		Network:           v.place(path+".network", c.Network),
		Gateways:          v.gateways(path+".gateways", c.Gateways),
		LoadBalancerCIDRs: v.prefixes(path+".loadBalancerCIDRs", c.LoadBalancerCIDRs),
		Probe:             v.probe(path+".probe", c.Probe),
		Region:            v.place(path+".region", c.Region),
		Zone:              v.place(path+".zone", c.Zone),
	}
	if c.Network == "" {
		m.Network = "default"
	}
	if len(c.ServiceCIDRs) == 0 {
		v.errorf(path+".serviceCIDRs", "missing; a member has one or more, as 10.101.0.0/19")
	}
	m.DNS = v.dns(path, c.DNS, m.ServiceCIDRs)
	v.upstreams += len(m.DNS)
	return m
}

// place takes the name of a network, a region or a zone, which queries compare.
func (v *validation) place(path, value string) string {
	if len(value) > maxPlace {
		v.wrong(path, value, fmt.Sprintf("%d bytes; %d at most", len(value), maxPlace))
		return ""
	}
	return value
}

// bounded gives the list, as far as it may go.
func (v *validation) bounded(path string, values []string) []string {
	if len(values) > maxList {
		v.errorf(path, "%d given; %d at most", len(values), maxList)
		return values[:maxList]
	}
	return values
}

func (v *validation) prefixes(path string, values []string) []netip.Prefix {
	var found []netip.Prefix
	for i, value := range v.bounded(path, values) {
		at := fmt.Sprintf("%s[%d]", path, i)
		prefix, err := netip.ParsePrefix(value)
		switch {
		case err != nil || prefix.Addr().Is4In6():
			v.wrong(at, value, "not a CIDR")
		case prefix != prefix.Masked():
			v.wrong(at, value, "not a CIDR's first address; did you mean "+prefix.Masked().String()+"?")
		case notOfMember(prefix) != "":
			v.wrong(at, value, notOfMember(prefix))
		case slices.Contains(found, prefix):
			v.wrong(at, value, "given twice")
		default:
			found = append(found, prefix)
		}
	}
	return found
}

// domain takes the member's own domain, with or without its last dot.
func (v *validation) domain(path, value string) string {
	if value == "" {
		return "cluster.local."
	}
	domain := strings.ToLower(strings.TrimSuffix(value, "."))
	if len(domain) > maxDomain || slices.ContainsFunc(strings.Split(domain, "."), notLabel) {
		v.wrong(path, value, "not a domain name")
		return ""
	}
	return domain + "."
}

func (v *validation) gateways(path string, values []string) []netip.Addr {
	var found []netip.Addr
	for i, value := range v.bounded(path, values) {
		addr, err := netip.ParseAddr(value)
		if err != nil || addr.Zone() != "" || isHosts(addr.Unmap()) {
			v.wrong(fmt.Sprintf("%s[%d]", path, i), value, "not an address that a client can connect to")
			continue
		}
		found = append(found, addr.Unmap())
	}
	return found
}

func (v *validation) probe(path, value string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "":
		v.wrong(path, value, "not a URL; write tcp://HOST:PORT, http:// or https://")
	case u.Scheme == "tcp" && u.Port() == "":
		v.wrong(path, value, "no port; write tcp://HOST:PORT")
	case u.Scheme != "tcp" && u.Scheme != "http" && u.Scheme != "https":
		v.wrong(path, value, "not tcp://, http:// or https://")
	}
	return value
}

func (v *validation) tls(path string, t *tlsFields) model.TLS {
	if t == nil {
		return model.TLS{}
	}
	files := t.CAFile != "" || t.CertFile != "" || t.KeyFile != ""
	if t.Secret != "" && files {
		v.errorf(path, "secret and files given; one of them")
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		v.errorf(path, "certFile and keyFile go together")
	}
	return model.TLS{
		ServerName: t.ServerName, Secret: v.object(path+".secret", t.Secret),
		CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile,
	}
}

func (v *validation) kubeconfig(path string, k *kubeconfig) model.Kubeconfig {
	if k == nil {
		return model.Kubeconfig{}
	}
	switch {
	case k.Secret == "" && k.File == "":
		v.errorf(path, "neither secret nor file")
	case k.Secret != "" && k.File != "":
		v.errorf(path, "secret and file given; one of them")
	case k.Key != "" && k.File != "":
		v.errorf(path+".key", "%q: goes with secret, not with file", k.Key)
	}
	return model.Kubeconfig{Secret: v.object(path+".secret", k.Secret), Key: k.Key, File: k.File, Context: k.Context}
}

func (v *validation) object(path, value string) model.ObjectName {
	if value == "" {
		return model.ObjectName{}
	}
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || notLabel(namespace) || slices.ContainsFunc(strings.Split(name, "."), notLabel) {
		v.wrong(path, value, "not NAMESPACE/NAME")
		return model.ObjectName{}
	}
	return model.ObjectName{Namespace: namespace, Name: name}
}
