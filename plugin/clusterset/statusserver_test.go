package clusterset

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// get asks a status server.
func get(t *testing.T, address, path string, to any) (code int) {
	t.Helper()
	response, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(to); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// stanzas returns the zones of each stanza whose status is served.
func stanzas(t *testing.T, address string) string {
	t.Helper()
	var p status.Process
	get(t, address, "/status.json", &p)
	var all []string
	for _, s := range p.Stanzas {
		var names []string
		for _, z := range s.Zones {
			names = append(names, z.Name+"="+string(z.Kind))
		}
		all = append(all, strings.Join(names, " "))
	}
	return strings.Join(all, "; ")
}

// TestStatusServer: the states of all stanzas with that address are served there, over reloads,
// those of the newest Corefile alone, and nothing is listened on when the last has gone.
func TestStatusServer(t *testing.T) {
	address := freeAddress(t, "127.77.0.2")
	c1 := startMember(t, "127.0.61.10", "cluster.local c1.zone")
	path := document(t, clusterAt("c1", c1, ""))
	stanza := func(zones, more string) string {
		return zones + ":PORT {\nbind 127.77.0.1\nclusterset " + zones + " {\nfile " + path + "\nstatus " + address + "\n" + more + "\n}\n}\n"
	}
	s := startCoreDNS(t, stanza("lan", "")+stanza("clusterset.local", "multicluster clusterset.local"))
	if have := stanzas(t, address); have != "lan.=cluster; clusterset.local.=clusterset" {
		t.Error(have)
	}
	s.reload(t, stanza("set", ""))
	if have := stanzas(t, address); have != "set.=cluster" {
		t.Error(have)
	}
	if _, err := s.instance.Restart(corefile(s.withPort(stanza("lan", "") + ".:PORT {\nbind 127.77.0.1\nclusterset x {\nfile /dev/null\n}\n}"))); err == nil {
		t.Error("a bad Corefile was taken")
	}
	if have := stanzas(t, address); have != "set.=cluster" {
		t.Error(have)
	}
	s.stop()
	if _, err := http.Get("http://" + address + "/status.json"); err == nil || statusServers.Len() != 0 {
		t.Errorf("still served: %v", err)
	}
}

// TestStatusAddressInUse: a status that can't be served is an error at the start.
func TestStatusAddressInUse(t *testing.T) {
	busy := startMember(t, "127.0.61.10", "cluster.local c1.zone")
	path := document(t, clusterAt("c1", "127.0.61.10:1", ""))
	text := "lan:PORT {\nbind 127.77.0.1\nclusterset {\nfile " + path + "\nstatus " + busy + "\n}\n}"
	_, err := caddy.Start(corefile(strings.ReplaceAll(text, "PORT", "0")))
	if err == nil || !strings.Contains(err.Error(), "status: listen tcp "+busy) {
		t.Error(err)
	}
	if err := stopStarting(); err != nil || statusServers.Len() != 0 {
		t.Error("something is left", err)
	}
}

// TestStatuses: a member's health, and why.
func TestStatuses(t *testing.T) {
	address := freeAddress(t, "127.77.0.2")
	good := startMember(t, "127.0.61.10", "cluster.local c1.zone")
	silent := clustertest.Serve(t, clustertest.Silence)
	path := document(t, clusterAt("c1", good, "")+
		`- {name: c2, network: eu, serviceCIDRs: [10.102.0.0/16], dns: ["`+silent.Addr.String()+`"], gateways: [203.0.113.1]}`+"\n")
	s := startCoreDNS(t, "lan:PORT {\nbind 127.77.0.1\nclusterset {\nfile "+path+"\nlocal c1\nstatus "+address+"\ntimeout 300ms\n}\n}")
	health := func(of string) (status.Health, string) {
		var p status.Process
		get(t, address, "/status.json", &p)
		for _, m := range p.Stanzas[0].Members {
			if m.Name == of {
				return m.Health, m.Reason
			}
		}
		t.Fatalf("no %s: %+v", of, p)
		return "", ""
	}
	if is, why := health("c2"); is != status.OK || why != "" {
		t.Errorf("at first: %s, %s", is, why)
	}
	var p status.Process
	if get(t, address, "/status.json", &p); p.Stanzas[0].Cache.Positive.Capacity != defaultCache {
		t.Errorf("the cache of both members: %+v", p.Stanzas[0].Cache)
	}
	eventually(t, inTime, "c2 failed", func() bool {
		lookup(t, s.addr, "udp", "web.default.c2.lan.", dns.TypeA)
		is, why := health("c2")
		return is == status.Failed && strings.HasPrefix(why, "DNS at "+silent.Addr.String()+": down: ")
	})
	if is, why := health("c1"); is != status.OK || why != "" {
		t.Errorf("c1: %s, %s", is, why)
	}
}

// TestLookup: a look-up is answered as a client's query is, says how, and isn't counted.
func TestLookup(t *testing.T) {
	address := freeAddress(t, "127.77.0.2")
	startSet(t, "local c2.eu\nstatus "+address)
	before := testutil.CollectAndCount(responses)
	for _, c := range []struct {
		query, member, answer, step string
	}{
		{"name=web.default.c1.lan", "c1", "web.default.c1.lan.\t5\tIN\tA\t10.101.1.1", "the member's DNS was asked, a cache miss"},
		{"name=web.default.c1.lan&type=A", "c1", "web.default.c1.lan.\t5\tIN\tA\t10.101.1.1", "what the member's DNS said before, a cache hit"},
		{"name=lan&type=SOA", "", "lan.\t5\tIN\tSOA", "answered by this server itself, as the zone's authority"},
		{"name=c9.lan", "", "", "no member's name"},
	} {
		var l status.Lookup
		if code := get(t, address, "/lookup?"+c.query, &l); code != http.StatusOK {
			t.Errorf("%s: %d", c.query, code)
		}
		if l.Member != c.member || !strings.HasPrefix(strings.Join(l.Answer, ""), c.answer) || !strings.Contains(strings.Join(l.Steps, "\n"), c.step) || l.Seconds <= 0 {
			t.Errorf("%s: %+v", c.query, l)
		}
	}
	for query, want := range map[string]string{
		"name=": "name: not a domain name", "name=a..b": "name: not a domain name", "name=web.default.c1.org": "name: in none of the zones",
		"name=c1.lan&type=AXFR": "type: none", "name=c1.lan&type=no": "type: none", "name=c1.lan&client=x": "client: not an IP",
		"name=" + url.QueryEscape(strings.Repeat("a.", 200)) + "lan": "name: not a domain name",
	} {
		var e struct{ Error string }
		if code := get(t, address, "/lookup?"+query, &e); code != http.StatusBadRequest || !strings.HasPrefix(e.Error, want) {
			t.Errorf("%s: %d %q, want %q", query, code, e.Error, want)
		}
	}
	if n := testutil.CollectAndCount(responses); n != before {
		t.Errorf("%d series of replies, %d before", n, before)
	}
}

// TestLookupExplained: what decided is said, whoever answers.
func TestLookupExplained(t *testing.T) {
	address := freeAddress(t, "127.77.0.2")
	c1 := startMember(t, "127.0.61.10", "cluster.local c1.zone")
	silent := clustertest.Serve(t, clustertest.Silence)
	path := document(t, clusterAt("c1", c1, "")+
		`- {name: c2, serviceCIDRs: [10.102.0.0/16], dns: ["`+silent.Addr.String()+`"]}`+"\n")
	startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan clusterset.local in-addr.arpa {\nfile "+path+
		"\nmulticluster clusterset.local\ntimeout 300ms\nstatus "+address+"\n}\nwhoami\n}")
	for _, c := range []struct {
		query, rcode string
		is           func(*status.Lookup) bool
	}{
		{"name=web.default.svc.clusterset.local", "NOERROR", func(l *status.Lookup) bool {
			return l.Rule == "default" && len(l.Answer) == 1 && len(l.Candidates) == 2 && l.Candidates[0].Member == "c1" && l.Candidates[0].Answers &&
				!l.Candidates[1].Answers && l.Candidates[1].Reason == "no reply yet" && len(l.Attempts) == 1
		}},
		{"name=web.default.c2.lan", "SERVFAIL", func(l *status.Lookup) bool {
			return l.ExtendedError != nil &&
				strings.HasPrefix(l.ExtendedError.Text, "member c2") && len(l.Attempts) > 0 && l.Error != ""
		}},
		{"name=9.2.0.192.in-addr.arpa&type=PTR&client=2001:db8::1", "", func(l *status.Lookup) bool {
			return l.Next && l.Client == "2001:db8::1" && strings.Contains(l.Steps[len(l.Steps)-1], " from there, ")
		}},
	} {
		var l status.Lookup
		if code := get(t, address, "/lookup?"+c.query, &l); code != http.StatusOK || c.rcode != "" && l.Rcode != c.rcode || !c.is(&l) {
			t.Errorf("%s: %d, %+v", c.query, code, l)
		}
	}
}

// TestRecent: samples are what happened between them, and go with their member.
func TestRecent(t *testing.T) {
	c1 := startMember(t, "127.0.61.10", "cluster.local c1.zone")
	address := freeAddress(t, "127.77.0.2")
	path := document(t, clusterAt("c1", c1, "")+clusterAt("c2", "127.0.61.10:1", ", network: other"))
	s := startCoreDNS(t, "lan:PORT {\nbind 127.77.0.1\nclusterset {\nfile "+path+"\nstatus "+address+"\n}\n}")
	server, err := statusServers.Acquire(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer statusServers.Release(address)
	var r recent
	now := time.Now()
	r.take(server.current(), now)
	for range 3 {
		lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)
	}
	lookup(t, s.addr, "udp", "web.default.c2.lan.", dns.TypeA)
	for n := range maxSamples + 5 {
		r.take(server.current(), now.Add(time.Duration(n)*samplePause))
		if n == 0 {
			if one, two := r.of("c1")[0], r.of("c2")[0]; one.Queries != 3 || one.Failures != 0 || two.Queries != 1 || two.Failures != 1 {
				t.Errorf("%+v, %+v", one, two)
			}
		}
	}
	if all := r.of("c1"); len(all) != maxSamples || all[maxSamples-1].Queries != 0 {
		t.Errorf("%d samples, the last %+v", len(all), all[len(all)-1])
	}
	r.take(nil, now)
	if all := r.of("c1"); all != nil {
		t.Errorf("%d samples of a member that left", len(all))
	}
}
