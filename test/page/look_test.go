//go:build e2e

package page

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// colours has the page drawn for a scheme: "light" or "dark".
func colours(scheme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return none, err
	}
}

// TestPageNarrow: on a screen of 320 px nothing is wider than it.
func TestPageNarrow(t *testing.T) {
	p := process(30)
	p.Stanzas[0].Members[1].Reason = strings.Repeat("long", 60)
	b := openSource(t, &source{process: p}, chromedp.EmulateViewport(320, 640))
	b.run(chromedp.SendKeys(`[name=name]`, strings.Repeat("long", 15)+".shop.svc.clusterset.local\r"))
	b.wait("an answer", `document.querySelector("#found pre") !== null`)
	eval[chromedp.Void](b, `document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
	wide := eval[[]string](b, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > 320.5 && getComputedStyle(e).position !== "absolute").map((e) => e.tagName + "." + e.className.toString() + " " + e.textContent.slice(0, 40))`)
	if width := eval[int](b, "document.documentElement.scrollWidth"); width > 320 || len(wide) > 0 {
		t.Errorf("%d px wide: %q", width, wide)
	}
	b.quiet()
}

// TestPageKeyboard: all that can be done is done with Tab and Enter, in the order of the page,
// and what has the focus shows it.
func TestPageKeyboard(t *testing.T) {
	b := openSource(t, &source{process: process(8)})
	var way []string
	for range 10 {
		b.run(chromedp.KeyEvent(kb.Tab))
		way = append(way, eval[string](b, `(() => { const e = document.activeElement; return e.className || e.name || e.id || e.tagName.toLowerCase(); })()`))
		if outline := eval[string](b, "getComputedStyle(document.activeElement).outlineStyle"); outline != "solid" {
			t.Errorf("%s has no outline: %s", way[len(way)-1], outline)
		}
	}
	want := []string{"skip", "name", "type", "client", "button", "stanza-0-filter", "summary", "summary", "summary", "summary"}
	if !slices.Equal(way, want) {
		t.Errorf("%q, want %q", way, want)
	}
	b.run(chromedp.KeyEvent(kb.Enter))
	if !eval[bool](b, "document.activeElement.parentElement.open") {
		t.Error("Enter didn't open what has the focus")
	}
	b.quiet()
}

// TestPageAccessibility: roles and names, as a screen reader has them, on wide and narrow screens.
func TestPageAccessibility(t *testing.T) {
	for _, width := range []int64{1200, 320} {
		b := openSource(t, &source{process: process(8)}, chromedp.EmulateViewport(width, 800))
		nodes := b.accessibility()
		for _, want := range []string{
			"banner: ", "main: ", "contentinfo: ", "status: ", "region: Look a name up", "region: lan. clusterset.local.",
			"heading: Look a name up", "textbox: Name", "combobox: Type", "textbox: Client’s address", "button: Look up",
			"searchbox: Show only", "table: Members, as seen from here, the worst first", "table: Findings",
			"columnheader: Member", "columnheader: Last 5 minutes", "link: Skip to the members",
		} {
			if !slices.ContainsFunc(nodes, func(n string) bool { return n == want || strings.HasSuffix(want, ": ") && strings.HasPrefix(n, want) }) {
				t.Errorf("%d px: no %q in %s", width, want, strings.Join(nodes, "\n"))
			}
		}
		images, rows := 0, 0
		for _, n := range nodes {
			if strings.HasPrefix(n, "image: History: ") && strings.Contains(n, " failed, 95% within ") {
				images++
			}
			if strings.HasPrefix(n, "rowheader: cluster") {
				rows++
			}
		}
		if images != 8 || rows != 8 {
			t.Errorf("%d px: %d histories, %d members: %s", width, images, rows, strings.Join(nodes, "\n"))
		}
		b.quiet()
	}
}

// accessibility returns the nodes of the tree as "role: name".
func (b *tab) accessibility() (nodes []string) {
	b.t.Helper()
	all, err := chromedp.Run(b.ctx, chromedp.Action[accessibility.GetFullAXTreeResult](func(ctx context.Context, t *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
		return cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	word := func(v *accessibility.Value) (text string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &text) // names and roles are strings
		}
		return strings.Join(strings.Fields(text), " ")
	}
	for _, n := range all.Nodes {
		if role := word(n.Role); !n.Ignored && !strings.HasSuffix(role, "Text") && role != "InlineTextBox" {
			nodes = append(nodes, role+": "+word(n.Name))
		}
	}
	return nodes
}

// contrasts are the texts that are too weak: less than 4.5 to 1 (WCAG 2, AA).
const contrasts = `(() => {
	const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.startsWith("rgba(0, 0, 0, 0")) return c; } return "rgb(255, 255, 255)"; };
	return [...document.querySelectorAll("body *")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length).map((e) => {
		const a = light(getComputedStyle(e).color), b = light(back(e));
		return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.tagName + "." + e.className + " " + e.textContent.slice(0, 30)];
	}).filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(2) + " " + what);
})()`

// TestPageColours: what is written can be read in the light and in the dark. With
// UPDATE_SCREENSHOTS=1 the pictures of the package's README are taken anew.
func TestPageColours(t *testing.T) {
	const folder = "../../plugin/clusterset/statuspage/screenshots"
	for _, c := range []struct {
		name, scheme  string
		width, height int64
		lookup        bool
	}{
		{"light", "light", 1100, 900, false}, {"dark", "dark", 1100, 900, true}, {"phone", "dark", 360, 900, false},
	} {
		b := openSource(t, &source{process: process(3)}, colours(c.scheme), chromedp.EmulateViewport(c.width, c.height))
		if c.lookup {
			b.run(chromedp.SendKeys(`[name=name]`, "web.shop.svc.clusterset.local\r"))
			b.wait("an answer", `document.querySelector("#found pre") !== null`)
		}
		if weak := eval[[]string](b, contrasts); len(weak) > 0 {
			t.Errorf("%s: %q", c.name, weak)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if len(picture) > 150<<10 {
			t.Errorf("%s: %d bytes", c.name, len(picture))
		}
		if os.Getenv("UPDATE_SCREENSHOTS") != "" {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s.png", c.name)), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b.quiet()
	}
}
