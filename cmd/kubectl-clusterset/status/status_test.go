package status

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas/replicastest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// process is a server that sees three members in good health, changed by each change.
func process(changes ...func(*status.Process)) *status.Process {
	up := func(address string) *status.DNS {
		return &status.DNS{Upstreams: []status.Upstream{{Address: address, State: status.Up, MedianSeconds: 0.0004}}}
	}
	fresh := func(services int) *status.Data {
		return &status.Data{State: status.Fresh, Since: noon.Add(-5 * time.Minute), Services: services, EndpointSlices: services + 1}
	}
	p := &status.Process{Version: "v1", Time: noon, Stanzas: []status.Stanza{{
		Ready: true,
		Zones: []status.Zone{{Name: "svc.", Kind: status.ClustersetZone}, {Name: "lan.", Kind: status.ClusterZone}},
		Document: status.Document{
			Source: "configmap kube-system/clusterset", Read: true, Hash: "0123456789abcdef",
			InForceSince: noon.Add(-10 * time.Minute), Members: 3,
		},
		Members: []status.Member{
			{Name: "cluster1", Local: true, Health: status.OK, Data: fresh(4)},
			{Name: "cluster2", Health: status.OK, Region: "eu", DNS: up("10.102.0.10:53"), Data: fresh(7)},
			{Name: "cluster3", Health: status.OK, DNS: &status.DNS{Upstreams: []status.Upstream{{Address: "10.103.0.10:53", State: status.Up}}}},
		},
	}}}
	for _, change := range changes {
		change(p)
	}
	return p
}

// serve starts a status server, and returns its address. What is looked up has the rcode.
func serve(t *testing.T, p *status.Process, rcode ...string) string {
	t.Helper()
	return replicastest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/lookup" {
			_ = json.NewEncoder(w).Encode(status.Lookup{Rcode: rcode[0]})
			return
		}
		_ = json.NewEncoder(w).Encode(p)
	})
}

// run runs the verb against servers. Their addresses are A, B, ... in what it writes.
func run(t *testing.T, servers []string, args ...string) (code int, out, errOut string) {
	t.Helper()
	return replicastest.Run(t, New, servers, args...)
}

const healthy = `NAME              NETWORK   DNS    RTT     DATA    AGE   SERVICES   ENDPOINTSLICES   REPLICAS
cluster1 (here)   default   here   -       fresh   5m    4          5                2/2
cluster2          default   up     0.4ms   fresh   5m    7          8                2/2
cluster3          default   idle   -       -       -     -          -                2/2

configmap kube-system/clusterset: 3 members, version 0123456789abcdef in force on 2 of 2 replicas since 2026-11-27 11:50:00 UTC
`

func down(p *status.Process) {
	m := &p.Stanzas[0].Members[1]
	m.Health, m.Reason = status.Degraded, "its DNS is down: 10.102.0.10:53: connection refused"
	m.DNS.Upstreams[0].State = status.Down
}

func TestStatus(t *testing.T) {
	gone := "127.0.0.1:1"
	for _, c := range []struct {
		name   string
		second *status.Process // nil is none there
		code   int
		want   string
	}{
		{"good", process(), cli.Good, healthy},
		{"a member's DNS, for one", process(down), cli.Degraded, `NAME              NETWORK   DNS    RTT     DATA    AGE   SERVICES   ENDPOINTSLICES   REPLICAS
cluster1 (here)   default   here   -       fresh   5m    4          5                2/2
cluster2          default   down   0.4ms   fresh   5m    7          8                1/2
cluster3          default   idle   -       -       -     -          -                2/2

configmap kube-system/clusterset: 3 members, version 0123456789abcdef in force on 2 of 2 replicas since 2026-11-27 11:50:00 UTC

! member cluster2: its DNS is down: 10.102.0.10:53: connection refused (seen by B)
`},
		{"gone", nil, cli.Degraded, strings.NewReplacer("2/2", "1/2", "2 of 2", "1 of 2").Replace(healthy) +
			"\n! replica B: gives no status: dial tcp B: connect: connection refused\n"},
		{"another document", process(func(p *status.Process) {
			p.Stanzas[0].Document.Hash = "fedcba9876543210"
			p.Stanzas[0].Members = p.Stanzas[0].Members[:2]
		}), cli.Degraded, `NAME              NETWORK   DNS    RTT     DATA    AGE   SERVICES   ENDPOINTSLICES   REPLICAS
cluster1 (here)   default   here   -       fresh   5m    4          5                2/2
cluster2          default   up     0.4ms   fresh   5m    7          8                2/2
cluster3          default   idle   -       -       -     -          -                1/2

configmap kube-system/clusterset: 3 members

! configmap kube-system/clusterset: replicas have different documents in force: 0123456789abcdef (A), fedcba9876543210 (B)
! member cluster3: is known to 1 of 2 replicas
`},
		{"another version, not ready", process(func(p *status.Process) {
			p.Version = "v2"
			p.Stanzas[0].Ready, p.Stanzas[0].Waiting = false, []string{"the data of cluster2"}
		}), cli.Degraded, healthy + `
! replica B: isn't ready: it waits for the data of cluster2
! replicas: run different versions: v1 (A), v2 (B)
`},
		{"a bad document", process(func(p *status.Process) { p.Stanzas[0].Document.Error = "no\nkind" }), cli.Degraded,
			healthy + "\n! configmap kube-system/clusterset: no\\nkind\n"},
		{"failed", process(func(p *status.Process) {
			p.Stanzas[0].Members[2].Health = status.Failed
			p.Stanzas[0].Members[2].Reason = "nobody answers"
		}), cli.Failed, strings.Replace(healthy, "-                2/2", "-                1/2", 1) + "\nx member cluster3: nobody answers (seen by B)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := gone
			if c.second != nil {
				second = serve(t, c.second)
			}
			code, out, errOut := run(t, []string{serve(t, process()), second})
			if d := cmp.Diff(c.want, out); d != "" || errOut != "" {
				t.Errorf("%s%s", d, errOut)
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
		})
	}
}

// TestNothing: no member yet is said, and is no failure; nobody who answers is one.
func TestNothing(t *testing.T) {
	empty := process(func(p *status.Process) {
		p.Stanzas[0].Members, p.Stanzas[0].Document = nil, status.Document{Source: "configmap kube-system/clusterset", Read: true}
	})
	code, out, _ := run(t, []string{serve(t, empty)})
	if code != cli.Good || !strings.HasPrefix(out, "Nothing is joined yet: ") {
		t.Errorf("exit code %d: %s", code, out)
	}
	code, out, _ = run(t, []string{"127.0.0.1:1"})
	if code != cli.Failed || !strings.Contains(out, "x replicas: none gives its status") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestForms(t *testing.T) {
	servers := []string{serve(t, process()), serve(t, process(down))}
	_, out, _ := run(t, servers, "-o", "short")
	const want = "clusterset degraded: 2 of 3 members ok, 2 of 2 replicas answer; " +
		"member cluster2: its DNS is down: 10.102.0.10:53: connection refused (seen by B)\n"
	if out != want {
		t.Errorf("have %q, want %q", out, want)
	}
	if _, out, _ = run(t, servers, "-o", "wide"); !strings.Contains(out, "REGION   ZONE   SERVICE CIDRS   UPSTREAMS") || !strings.Contains(out, "10.102.0.10:53 down") {
		t.Errorf("wide:\n%s", out)
	}
	_, out, _ = run(t, servers, "-o", "json")
	var r Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Health != status.Degraded || len(r.Sets[0].Members) != 3 || r.Replicas[1].Status.Stanzas[0].Members[1].Health != status.Degraded {
		t.Errorf("json: %+v", r)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{"--wait -1s", "--wait 1s --watch", "--server a", "x", "-o xml"} {
		if code, _, errOut := run(t, nil, strings.Fields(args)...); code != cli.WrongUsage {
			t.Errorf("%s: exit code %d: %s", args, code, errOut)
		}
	}
}

// TestUnsettled: what is still waited for, the replicas first: one that isn't there may not
// know of a member.
func TestUnsettled(t *testing.T) {
	good := Set{Source: "s", InForce: 2, Members: []Member{{Name: "m", Healthy: 2, Replicas: 2}}}
	ready := Replica{Name: "a", Status: process()}
	waits := Replica{Name: "b", Status: process(func(p *status.Process) {
		p.Stanzas[0].Ready, p.Stanzas[0].Waiting = false, []string{"data"}
	})}
	for _, c := range []struct {
		name   string
		report Report
		want   string
	}{
		{"good", Report{Answering: 2, Replicas: []Replica{ready, ready}, Sets: []Set{good}}, ""},
		{"one pod to come", Report{Answering: 1, Replicas: []Replica{ready}, Sets: []Set{good}}, "2 replicas, of which 1 answer"},
		{"one too many", Report{Answering: 3, Replicas: []Replica{ready, ready, ready}, Sets: []Set{good}}, "2 replicas, of which 3 answer"},
		{"not everywhere", Report{Answering: 2, Replicas: []Replica{ready, ready}, Sets: []Set{{Source: "s", InForce: 1}}},
			"s to be in force on every replica: it is on 1 of 2"},
		{"unknown", Report{
			Answering: 2, Replicas: []Replica{ready, ready},
			Sets:     []Set{{Source: "s", InForce: 2, Members: []Member{{Name: "m", Healthy: 1, Replicas: 2}}}},
			Findings: []Finding{{status.Unknown, "member m", "not heard of yet"}},
		}, "member m: not heard of yet"},
		{"not ready", Report{Answering: 2, Replicas: []Replica{ready, waits}, Sets: []Set{good}}, "replica b to be ready: it waits for data"},
	} {
		c.report.Wanted = 2
		if got := c.report.unsettled(); got != c.want {
			t.Errorf("%s: have %q, want %q", c.name, got, c.want)
		}
	}
}

// TestWait: it ends when all is well, says each thing that it waits for once, and an end
// before that isn't good.
func TestWait(t *testing.T) {
	code, out, errOut := run(t, []string{serve(t, process(), "NXDOMAIN")}, "--wait", "1m")
	if code != cli.Good || errOut != "" || !strings.Contains(out, "1/1") {
		t.Errorf("good: exit code %d: %s%s", code, out, errOut)
	}
	code, out, errOut = run(t, []string{serve(t, process(down))}, "--wait", "2500ms")
	errOut = regexp.MustCompile(`\(\d+s\)`).ReplaceAllString(errOut, "(…)")
	const waits = "... Waiting (…) for member cluster2: its DNS is down: 10.102.0.10:53: connection refused\n" +
		"error: not within 2.5s: waited for member cluster2: its DNS is down: 10.102.0.10:53: connection refused\n"
	if code != cli.Degraded || errOut != waits || !strings.Contains(out, "cluster3") {
		t.Errorf("in vain: exit code %d: %s%s", code, out, errOut)
	}
}

// TestProve: a member without data is asked before it is believed to answer.
func TestProve(t *testing.T) {
	code, _, errOut := run(t, []string{serve(t, process(), "SERVFAIL")}, "--wait", "500ms")
	const why = "replica A: member cluster3 doesn't answer: kubernetes.default.svc.cluster3.lan. SERVFAIL"
	if code != cli.Degraded || !strings.Contains(errOut, why) {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}
