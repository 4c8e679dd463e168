//go:build e2e

package page

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/statuspage"
)

// source serves fixed values, which a test may change.
type source struct {
	mu      sync.Mutex
	process status.Process
}

func (s *source) Statuses() status.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

func (s *source) set(p status.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = p
}

func (s *source) Lookup(_ context.Context, name, qtype, client string) (status.Lookup, error) {
	if name == "bad" {
		return status.Lookup{}, statuspage.UsageError("name: in none of the zones <lan>")
	}
	if client == "" {
		client = "127.0.0.1"
	}
	return status.Lookup{
		Name: name + ".", Type: qtype, Client: client, Zone: "clusterset.local.", Kind: status.ClustersetZone,
		Source: "forward", Rcode: "NOERROR", Cache: "miss", Seconds: 0.0032,
		Answer:        []string{name + ".\t5\tIN\t" + qtype + "\t10.101.0.20"},
		ExtendedError: &status.ExtendedError{Code: 3, Name: "Stale Answer", Text: "member cluster2"},
		Candidates:    []status.Candidate{{Member: "cluster1", Answers: true, Reason: "chosen"}, {Member: "cluster2", Reason: "its gateway is dead"}},
		Attempts:      []status.Attempt{{Member: "cluster1", Upstream: "10.101.0.10:53", Proto: "udp", Seconds: 0.003, Replied: true}},
		Excluded:      map[string]int{"guarded": 2},
		Steps:         []string{"zone clusterset.local., a clusterset zone", "a service <b>over</b> the whole ClusterSet"},
	}, nil
}

var clock = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// process is a status with n members: every seventh, from the second on, is failed, and every
// seventh, from the third on, is degraded.
func process(n int) status.Process {
	s := status.Stanza{
		Zones: []status.Zone{{Name: "lan.", Kind: status.ClusterZone}, {Name: "clusterset.local.", Kind: status.ClustersetZone}},
		Mode:  "auto", Exports: "all", Affinity: "local", Local: "cluster1", Ready: true,
		Document: status.Document{
			Source: "configmap kube-system/clusterset", Read: true, ResourceVersion: "4711", InForceSince: clock.Add(-50 * time.Minute),
			Hash: "5f2b6d1c9a3e7f04", Members: n,
			Findings: []document.Finding{{Severity: document.Warning, Key: "clusterset.yaml", Path: "clusters[0].kubeconfig", Message: "the server's certificate isn't verified"}},
		},
		Overlaps: []string{"10.102.0.0/19 of cluster2 overlaps 10.102.0.0/16 of cluster3"},
		Policies: []status.Policy{{Services: []string{"payments/*"}, Allow: []string{"cluster1"}, Affinity: "none",
			Weights: map[string]int{"cluster1": 90, "cluster2": 10}, Failover: []string{"cluster2", "cluster3"}}},
		Imports: &status.Data{State: status.Fresh, Since: clock.Add(-time.Hour)},
		Cache:   status.Cache{Positive: status.CacheKind{Entries: 812}, Negative: status.CacheKind{Entries: 30}},
		Members: []status.Member{},
	}
	for i := range n {
		s.Members = append(s.Members, member(i))
	}
	return status.Process{Version: "CoreDNS-1.15.0", Host: "coredns-6b9f-x2x7k", Time: clock, Started: clock.Add(-time.Hour), Stanzas: []status.Stanza{s}}
}

func member(i int) status.Member {
	m := status.Member{
		Name: fmt.Sprintf("cluster%d", i+1), Local: i == 0, Network: []string{"default", "edge"}[i%2], Region: []string{"kr", "eu", "us"}[i%3], Zone: []string{"kr-a", "eu-b", "us-c"}[i%3],
		ClusterDomain: "cluster.local", ServiceCIDRs: []string{fmt.Sprintf("10.%d.0.0/19", 101+i%100)}, Reach: []string{"services"}, Health: status.OK,
	}
	up := status.Upstream{Address: fmt.Sprintf("10.%d.0.10:53", 101+i%100), State: status.Up, Since: clock.Add(-time.Hour), MedianSeconds: 0.0012, P95Seconds: 0.0049, EDNS: true, Streams: true}
	m.Data = &status.Data{State: status.Fresh, Since: clock.Add(-3 * time.Minute), Services: 128 + i, EndpointSlices: 301, DataDetails: status.DataDetails{
		Conditions: status.Conditions{Credentials: status.Credentials{Kind: "token", Expires: clock.Add(200 * time.Hour)}}}}
	failing := false
	switch i % 7 {
	case 1:
		failing = true
		m.Health, m.Reason = status.Failed, "DNS at "+up.Address+": down: no reply; data stale: connection refused"
		up.State, up.Error = status.Down, "no reply"
		m.Data.State, m.Data.Error = status.Stale, "connection refused"
	case 2:
		m.Health, m.Reason = status.Degraded, "gateway: connection refused"
		m.Gateway = &status.Gateway{URL: "tcp://203.0.113.10:443", Since: clock.Add(-90 * time.Second), Error: "connection refused", Failures: 9}
		m.Data.Credentials.Expires = clock.Add(5 * time.Hour)
	}
	if i > 0 {
		m.DNS = &status.DNS{Upstreams: []status.Upstream{up}}
	}
	for k := range 60 {
		s := status.Sample{Time: clock.Add(time.Duration(k-60) * 5 * time.Second), Queries: 20 + k%7, MedianSeconds: 0.0010 + 0.0001*float64((k*(i+3))%9), P95Seconds: 0.0030 + 0.0004*float64((k*(i+5))%11)}
		if failing && k > 40 {
			s.Failures, s.MedianSeconds, s.P95Seconds = s.Queries, 0, 0
		}
		m.Recent = append(m.Recent, s)
	}
	return m
}
