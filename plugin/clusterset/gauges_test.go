package clusterset

import (
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// startGauges starts so many server blocks with these members, whose gauges are shown until the
// test ends.
func startGauges(t *testing.T, blocks int, clusters ...*model.Cluster) (all []*Clusterset) {
	t.Helper()
	for range blocks {
		p := &Clusterset{zones: []string{"lan."}, options: defaultOptions()}
		p.manager = members.NewManager(p.forMembers())
		p.manager.SetClusterSet(&model.ClusterSet{Clusters: clusters})
		running.add(p)
		all = append(all, p)
		t.Cleanup(func() {
			running.remove(p)
			p.manager.Close()
			p.manager.Wait()
		})
	}
	return all
}

// gaugesOf returns a member's gauges that aren't 0, by their names and other labels.
func gaugesOf(t *testing.T, cluster string) map[string]float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		name, ours := strings.CutPrefix(family.GetName(), "coredns_clusterset_")
		for _, metric := range family.GetMetric() {
			words, isMember := []string{name}, false
			for _, label := range metric.GetLabel() {
				if label.GetName() == "cluster" {
					isMember = label.GetValue() == cluster
				} else {
					words = append(words, label.GetValue())
				}
			}
			if ours && isMember && metric.GetGauge() != nil {
				values[strings.Join(words, " ")] = metric.GetGauge().GetValue()
			}
		}
	}
	return values
}

// TestGauges: gauges are of the members in force, summed over what each server block has of its
// own; what is shared is shown once, and what left not at all.
func TestGauges(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	gauged := fuzzCluster("c1", "")
	gauged.Name, gauged.Probe = "gauged", "tcp://"+listener.Addr().String()
	blocks := startGauges(t, 2, gauged)
	name := new(dns.Msg).SetQuestion("web.", dns.TypeA)
	reply := new(dns.Msg).SetReply(name)
	reply.Answer = []dns.RR{test.A("web. 60 IN A 10.101.0.1")}
	for _, p := range blocks {
		p.resolver.Members().Member("gauged").Answers.Put(answercache.KeyOf(name), "web.", reply, time.Now())
	}
	want := map[string]float64{
		"upstreams up": 2, "upstreams down": 0, "upstreams ejected": 0, "gateway_up": 1,
		"cache_entries success": 2, "cache_entries denial": 0,
	}
	if got := gaugesOf(t, "gauged"); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, p := range blocks {
		p.manager.SetClusterSet(&model.ClusterSet{Clusters: []*model.Cluster{fuzzCluster("c2", "")}})
	}
	if got := gaugesOf(t, "gauged"); len(got) > 0 {
		t.Errorf("of a member that left: %v", slices.Sorted(maps.Keys(got)))
	}
}
