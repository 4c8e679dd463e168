//go:build e2e

package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

const ip = "127.0.0.1"

// startMember starts a member's DNS that has the same address for each name, and says of what
// else it is asked that it has none, as when it is probed.
func startMember(t *testing.T, name, address string) *harness.MemberDNS {
	t.Helper()
	return harness.StartMemberDNS(t, name, ip, "template IN A {\nanswer \"{{ .Name }} 0 IN A "+address+"\"\n}\ntemplate IN ANY {\nrcode NOERROR\n}", nil, "cluster.local")
}

// TestPageOfCoreDNS: a real server's states are those of its /status.json, a look-up is answered
// by a real member, and a member that dies is seen to.
func TestPageOfCoreDNS(t *testing.T) {
	c1, c2 := startMember(t, "c1", "10.101.0.20"), startMember(t, "c2", "10.102.0.20")
	at := harness.FreeAddr(t, ip).String()
	set := fmt.Sprintf(`apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- {name: c1, serviceCIDRs: [10.101.0.0/19], dns: ["%s"], region: kr}
- {name: c2, serviceCIDRs: [10.102.0.0/19], dns: ["%s"], region: eu, network: edge}
`, c1.Addr, c2.Addr)
	s := harness.StartServer(t, "server", ip, "clusterset lan {\nfile set.yaml\ntimeout 500ms\nstatus "+at+"\n}", map[string]string{"set.yaml": set})
	harness.Eventually(t, harness.StartLimit, "ready", s.IsReady)
	s.Await(t, harness.StartLimit, "web.default.c1.lan.", "NOERROR 0 10.101.0.20")
	s.Await(t, harness.StartLimit, "web.default.c2.lan.", "NOERROR 0 10.102.0.20")
	b := open(t, "http://"+at)
	b.has("#summary", "● All is well: 2 members answered for.")

	response, err := http.Get("http://" + at + "/status.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var p status.Process
	if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	b.has("#about", p.Host, p.Version)
	b.has("#stanzas", "lan.", p.Stanzas[0].Document.Hash, p.Stanzas[0].Document.Source)
	for i, m := range p.Stanzas[0].Members {
		b.has(fmt.Sprintf(".members tbody tr:nth-child(%d)", i+1), m.Name, string(m.Health), m.Region, "network "+m.Network, m.DNS.Upstreams[0].Address, "● up", "no kubeconfig")
	}

	b.run(chromedp.SendKeys(`[name=name]`, "api.default.c1.lan\r"))
	b.wait("an answer", `document.querySelector("#found pre") !== null`)
	b.has("#found", "● NOERROR", "10.101.0.20", "the member's DNS was asked", c1.Addr, "replied")

	c2.Stop()
	b.run(chromedp.SetValue(`[name=name]`, "api.default.c2.lan"), chromedp.SendKeys(`[name=name]`, "\r"))
	b.wait("a failure", `document.querySelector("#found").innerText.includes("SERVFAIL")`)
	b.wait("that c2 failed", `document.querySelector("#summary").textContent === "✖ 1 of 2 members failed: c2."`)
	b.has(".members tbody tr:first-child", "c2", "✖ down", "connection refused")
	b.wait("histories", `document.querySelectorAll(".members svg.history").length === 2`)
	b.quiet()
}
