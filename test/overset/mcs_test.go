//go:build e2e

package overset

import (
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// mcs: the DNS cases of the Multi-Cluster Services API's conformance suite
// (kubernetes-sigs/mcs-api, conformance/), as dig sees them.
func mcs(s *story) {
	s.row("exports", mcsExports)
	s.row("imports", mcsImports)
	s.row("imports ready", importsReady)
}

// twoPorts are those of the suite's services: of two protocols, with one number.
func twoPorts(s *v1.Service) {
	s.Spec.Ports = []v1.ServicePort{{Name: "tcp", Port: 42, Protocol: v1.ProtocolTCP}, {Name: "udp", Port: 42, Protocol: v1.ProtocolUDP}}
}

// mcsExports has the suite's services in west's data, with ServiceExports.
func mcsExports(s *story) {
	hello := s.service(s.west, "hello", twoPorts)
	s.endpoints(s.west, "hello", 2, 2)
	s.export(s.west, "hello")
	here := s.service(s.east, "hello", twoPorts)
	s.endpoints(s.east, "hello", 2, 2)
	s.service(s.west, "pods", headless, twoPorts)
	for _, slice := range headlessSlices(s.west) {
		slice.Labels = marks{discovery.LabelServiceName: "pods"}
		harness.Put(s.T, s.west.admin.DiscoveryV1().EndpointSlices(s.namespace), slice)
	}
	s.export(s.west, "pods")
	v := s.startWith("east", "", document(nil, s.east.as(), s.west.as()), "kubernetes cluster.local {\n kubeconfig "+s.east.up.Kubeconfig("east")+"\n}", nil)
	v.conforms(here, []string{hello}, nil)
}

// headlessSlices are those of "pods": two endpoints of each family, one of them with a host
// name, and one that isn't ready.
func headlessSlices(c *cluster) []*discovery.EndpointSlice {
	ports := []discovery.EndpointPort{
		{Name: new("tcp"), Protocol: new(v1.ProtocolTCP), Port: new(int32(42))},
		{Name: new("udp"), Protocol: new(v1.ProtocolUDP), Port: new(int32(42))},
	}
	v4 := &discovery.EndpointSlice{AddressType: discovery.AddressTypeIPv4, Ports: ports, Endpoints: []discovery.Endpoint{
		{Addresses: []string{c.pod(1)}, Hostname: new("pod-1")}, {Addresses: []string{c.pod(2)}},
		{Addresses: []string{c.pod(3)}, Conditions: discovery.EndpointConditions{Ready: new(false)}},
	}}
	v6 := &discovery.EndpointSlice{AddressType: discovery.AddressTypeIPv6, Ports: ports, Endpoints: []discovery.Endpoint{
		{Addresses: []string{"fd00:52::1"}}, {Addresses: []string{"fd00:52::2"}},
	}}
	v4.Name, v6.Name = "pods-4", "pods-6"
	return []*discovery.EndpointSlice{v4, v6}
}

// priorities are the priority and the weight of an SRV record, which the suite doesn't look at.
var priorities = regexp.MustCompile(`(?m)^0 [0-9]+ `)

// conforms asks what the suite asks, of services of west. local is the cluster IP of the local
// "hello", ips and ips6 are those over the ClusterSet.
func (v *server) conforms(local string, ips, ips6 []string) {
	v.s.Helper()
	hello, pods := v.s.name("hello"), v.s.name("pods")
	host := "west." + pods
	pod := v.s.west.pod
	dashed := func(address string) string {
		return strings.NewReplacer(".", "-", ":", "-").Replace(address)
	}
	srv := func(target string) string { return "42 " + target + "." + host }
	for _, test := range []struct {
		name, qtype string
		want        []string
	}{
		{hello, "A", ips},
		{hello, "AAAA", ips6},
		{hello, "SRV", []string{"42 " + hello}},
		{"_tcp._tcp." + hello, "SRV", []string{"42 " + hello}},
		{strings.Replace(hello, "clusterset.local", "cluster.local", 1), "A", []string{local}},
		{pods, "A", []string{pod(1), pod(2)}},
		{pods, "AAAA", []string{"fd00:52::1", "fd00:52::2"}},
		{"pod-1." + host, "A", []string{pod(1)}},
		{dashed(pod(2)) + "." + host, "A", []string{pod(2)}},
		{dashed(pod(3)) + "." + host, "A", nil},
		{host, "A", nil},
		{pods, "SRV", []string{srv("pod-1"), srv(dashed(pod(2))), srv(dashed("fd00:52::1")), srv(dashed("fd00:52::2"))}},
		{"dns-version.clusterset.local.", "TXT", []string{`"1.0.0"`}},
	} {
		slices.Sort(test.want)
		harness.Eventually(v.s.T, seen, test.name+" "+test.qtype, func() error {
			got, err := v.dig("+short", test.name, test.qtype)
			if err != nil {
				return err
			}
			records := strings.FieldsFunc(priorities.ReplaceAllString(got, ""), func(r rune) bool { return r == '\n' })
			if slices.Sort(records); !slices.Equal(records, test.want) {
				reply, _ := v.dig(test.name, test.qtype)
				return fmt.Errorf("%q, want %q; the reply:\n%s", records, test.want, reply)
			}
			return nil
		})
	}
}

// dig asks by the program that people ask by.
func (v *server) dig(args ...string) (string, error) {
	host, port, err := net.SplitHostPort(v.Addr)
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(v.s.Context(), "dig", append([]string{"@" + host, "-p", port, "+tries=1", "+time=3"}, args...)...).CombinedOutput()
	return string(out), err
}
