//go:build e2e

package page

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/statuspage"
)

// inTime is how long anything may take, on a machine that does other things too.
const inTime = time.Minute

// browser is the one of all tests: its tabs are theirs.
var browser context.Context

// TestMain starts the browser. It resolves no name, so that it reaches nothing but loopback.
func TestMain(m *testing.M) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WSURLReadTimeout(inTime),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	var end context.CancelFunc
	browser, end = chromedp.NewContext(allocator)
	if err := chromedp.Do(browser); err != nil {
		fmt.Fprintln(os.Stderr, "chromium (Debian's package of that name) is needed:", err)
		os.Exit(1)
	}
	code := m.Run()
	end()
	stop()
	os.Exit(code)
}

// tab is a page that is open, in a tab of its own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string // what the console says
}

// open opens the page at url.
func open(t *testing.T, url string, first ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	b := &tab{t: t}
	ctx, end := chromedp.NewContext(browser, chromedp.WithListener(b.hear))
	t.Cleanup(end)
	var cancel context.CancelFunc
	b.ctx, cancel = context.WithTimeout(ctx, 2*inTime)
	t.Cleanup(cancel)
	b.run(first...)
	b.run(chromedp.Navigate(url))
	b.wait("the first status", `!document.querySelector("#summary").textContent.startsWith("Reading")`)
	return b
}

// openSource serves a source, and opens its page.
func openSource(t *testing.T, s statuspage.Source, first ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	server := httptest.NewServer(statuspage.NewHandler(s, ""))
	t.Cleanup(server.Close)
	return open(t, server.URL, first...)
}

func (b *tab) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = fmt.Sprint("exception: ", e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		text = fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value)
	case *log.EventEntryAdded:
		text = fmt.Sprintf("%s: %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = append(b.troubles, text)
}

// quiet fails where the console said anything: an error, an exception, what the policy blocked.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.troubles) > 0 {
		b.t.Errorf("the console: %s", strings.Join(b.troubles, "\n"))
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// wait waits until an expression is true.
func (b *tab) wait(what, expression string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(inTime))); err != nil {
		b.t.Fatalf("%s: %v; it shows: %s", what, err, b.text("body"))
	}
}

// text is what an element shows, with single spaces.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.Join(strings.Fields(eval[string](b, fmt.Sprintf("document.querySelector(%q).innerText", selector))), " ")
}

// has fails where an element doesn't show each of the texts.
func (b *tab) has(selector string, texts ...string) {
	b.t.Helper()
	shown := b.text(selector)
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			b.t.Errorf("%s: no %q in %q", selector, text, shown)
		}
	}
}

// refresh has the page read the status now, as it does when it is shown again.
func (b *tab) refresh() {
	b.t.Helper()
	eval[bool](b, `document.dispatchEvent(new Event("visibilitychange"))`)
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}
