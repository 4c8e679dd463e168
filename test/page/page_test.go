//go:build e2e

package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestPage: everything of a status is shown, whatever its size, and the worst members first.
func TestPage(t *testing.T) {
	for n, failed := range map[int]int{3: 1, 30: 5, 300: 43} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := process(n)
			b := openSource(t, &source{process: p})
			b.has("#summary", fmt.Sprintf("✖ %d of %d members failed: cluster", failed, n), "degraded: cluster3")
			b.has("#about", p.Host, p.Version, "up 60 min")
			if rows := eval[int](b, `document.querySelectorAll(".members tbody tr").length`); rows != n {
				t.Errorf("%d rows", rows)
			}
			b.has(".members tbody tr:first-child", "✖ failed", "no reply", "stale", "failed, 95% within 7 ms")
			b.has(".members tbody tr:nth-child("+fmt.Sprint(failed+1)+")", "▲ degraded", "✖ dead for 90 s", "tcp://203.0.113.10:443", "its token expires in 5 h", "301 slices", "1.2 ms")
			b.has("#stanzas", "lan. clusterset.local.", "842 answers", "configmap kube-system/clusterset", p.Stanzas[0].Document.Hash, "2026-11-27 11:10:00 UTC (50 min)",
				"4711", "▲ warning", "clusterset.yaml: clusters[0].kubeconfig", "payments/*", "cluster1 90, cluster2 10", "cluster2, then cluster3", "10.102.0.0/19 of cluster2 overlaps")
			texts := eval[map[string]string](b, `Object.fromEntries([...document.querySelectorAll(".members tbody tr")].map((r) => [r.querySelector("strong").textContent, r.innerText]))`)
			for i := range p.Stanzas[0].Members {
				m := &p.Stanzas[0].Members[i]
				text := texts[m.Name]
				for _, want := range []string{string(m.Health), m.Reason, fmt.Sprintf("%d services", m.Data.Services), m.Region + " / " + m.Zone} {
					if !strings.Contains(text, want) {
						t.Errorf("%s: no %q in %q", m.Name, want, text)
					}
				}
			}
			b.quiet()
		})
	}
}

// TestPageFilter: of many members, those are shown that all words are of.
func TestPageFilter(t *testing.T) {
	b := openSource(t, &source{process: process(300)})
	b.run(chromedp.SendKeys("#stanza-0-filter", "failed eu edge"))
	b.wait("a filter", `document.querySelector(".filter [role=status]").textContent.endsWith("of 300 members")`)
	shown := eval[int](b, `[...document.querySelectorAll(".members tbody tr")].filter((r) => !r.hidden).length`)
	want := 0
	for _, m := range process(300).Stanzas[0].Members {
		if m.Health == status.Failed && m.Region == "eu" && m.Network == "edge" {
			want++
		}
	}
	if shown != want || want == 0 {
		t.Errorf("%d rows, want %d", shown, want)
	}
	b.quiet()
}

// TestPageStates: nothing yet, no stanza, everything failed, a bad document.
func TestPageStates(t *testing.T) {
	empty := process(0)
	empty.Stanzas[0] = status.Stanza{Zones: empty.Stanzas[0].Zones, Mode: "auto", Waiting: []string{"a ClusterSet"}, Members: []status.Member{}}
	failed := process(3)
	for i := range failed.Stanzas[0].Members {
		failed.Stanzas[0].Members[i].Health = status.Failed
	}
	bad := process(1)
	bad.Stanzas[0].Document.Error, bad.Stanzas[0].Document.ErrorSince = "clusterset.yaml: not YAML", clock
	well := process(1)
	two := process(1)
	two.Stanzas = append(two.Stanzas, process(3).Stanzas...)
	bare := process(1)
	bare.Stanzas[0].Members[0] = status.Member{Name: "cluster1", Health: status.Unknown}
	none := status.Process{Version: "v", Stanzas: []status.Stanza{}}
	for _, c := range []struct {
		name    string
		process status.Process
		summary string
		shown   []string
	}{
		{"empty", empty, "not ready yet.", []string{"waits for a ClusterSet", "No member is in force", "nothing is in force"}},
		{"failed", failed, "✖ 3 of 3 members failed: cluster1, cluster2, cluster3.", nil},
		{"bad", bad, "▲ the document has an error.", []string{"✖ clusterset.yaml: not YAML since 2026-11-27 12:00:00 UTC"}},
		{"well", well, "● All is well: 1 member answered for.", []string{"looked up inside this server", "not probed"}},
		{"two", two, "✖ 1 of 3 members failed", nil},
		{"bare", bare, "○ 1 of 1 member not heard of yet: cluster1.", []string{"no kubeconfig", "nothing yet"}},
		{"none", none, "No stanza is served.", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := openSource(t, &source{process: c.process})
			b.has("#summary", c.summary)
			b.has("#stanzas", c.shown...)
			b.quiet()
		})
	}
}

// TestPageTexts: what comes from outside is text, whatever it looks like.
func TestPageTexts(t *testing.T) {
	const odd = `<script>document.title="run"</script><img src=x onerror=alert(1)> &amp; ` + "\u202e"
	p := process(3)
	m := &p.Stanzas[0].Members[1]
	m.Reason, m.Region, m.DNS.Upstreams[0].Error, m.Data.Error = odd, odd, odd, odd
	p.Stanzas[0].Document.Error, p.Stanzas[0].Overlaps, p.Host = odd, []string{odd}, odd
	b := openSource(t, &source{process: p})
	b.has(".members tbody tr:first-child", "<script>", "onerror=alert(1)> &amp;")
	if n := eval[int](b, `document.querySelectorAll("body script, img").length`); n != 0 {
		t.Errorf("%d elements were made of text", n)
	}
	if title := eval[string](b, "document.title"); title == "run" {
		t.Error("a script ran")
	}
	b.run(chromedp.SendKeys(`[name=name]`, "bad\r"))
	b.wait("an error", `document.querySelector("#found").textContent.includes("name: in none of the zones <lan>")`)
}

// TestPageLookup: a name is looked up, and what is said of it shown.
func TestPageLookup(t *testing.T) {
	b := openSource(t, &source{process: process(3)})
	b.run(chromedp.SendKeys(`[name=name]`, "web.shop.svc.clusterset.local"), chromedp.SetValue(`[name=type]`, "AAAA"), chromedp.SendKeys(`[name=client]`, "192.0.2.9\r"))
	b.wait("an answer", `document.querySelector("#found pre") !== null`)
	b.has("#found", "● NOERROR", "web.shop.svc.clusterset.local. AAAA", "from forward, cache miss, 3.2 ms", "10.101.0.20", "Extended error 3, Stale Answer: member cluster2",
		"a service <b>over</b> the whole ClusterSet", "its gateway is dead", "10.101.0.10:53", "replied", "Left out: 2 guarded")
	b.quiet()
}

// TestPageUpdate: a change is shown without a word from the user, what has the focus keeps it,
// and the summary is said again only when it differs; a server that has gone is said to be.
func TestPageUpdate(t *testing.T) {
	p := process(30)
	s := &source{process: p}
	b := openSource(t, s)
	eval[chromedp.Void](b, `{
		const summary = document.querySelector(".members tbody tr:nth-child(9) summary");
		summary.parentElement.open = true; summary.focus();
		window.kept = summary; window.changes = 0;
		new MutationObserver(() => window.changes++).observe(document.querySelector("#summary"), { childList: true, characterData: true, subtree: true });
		scrollTo(0, 300);
	}`)
	p.Time = p.Time.Add(10 * time.Minute)
	s.set(p)
	b.wait("a later status", `document.querySelector("#about").textContent.includes("up 70 min")`) // by itself
	if n := eval[int](b, "window.changes"); n != 0 {
		t.Errorf("the summary changed %d times", n)
	}
	p = process(30)
	for i := range p.Stanzas[0].Members {
		p.Stanzas[0].Members[i].Health, p.Stanzas[0].Members[i].Reason = status.OK, ""
	}
	p.Stanzas[0].Members[20].Health = status.Failed
	p.Stanzas[0].Members = p.Stanzas[0].Members[1:]
	s.set(p)
	b.refresh()
	b.wait("a change", `document.querySelector("#summary").textContent === "✖ 1 of 29 members failed: cluster21."`)
	b.has(".members tbody tr:first-child", "cluster21")
	if ok := eval[bool](b, `document.activeElement === window.kept && window.kept.parentElement.open && window.changes === 1 && scrollY > 0`); !ok {
		t.Error("the focus, what was open, the place or the summary wasn't kept")
	}
	b.quiet()
}

// TestPageUnreachable: what was known stays, marked as old, until the server is back.
func TestPageUnreachable(t *testing.T) {
	s := &source{process: process(3)}
	b := openSource(t, s)
	eval[chromedp.Void](b, `window.real = window.fetch; window.fetch = () => Promise.reject(new Error("it is off")); undefined`)
	b.refresh()
	b.wait("that it is old", `document.body.classList.contains("old")`)
	b.has("#trouble", "✖ The server can’t be reached since", "it is off", "What is below is old: of 12:00:00 UTC.")
	b.has(".members", "cluster1")
	eval[chromedp.Void](b, `window.fetch = window.real; undefined`)
	b.refresh()
	b.wait("that it isn't", `!document.body.classList.contains("old") && document.querySelector("#trouble").hidden`)
	b.quiet()
}
