//go:build e2e

package walk

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// serveDNS is the method that CoreDNS calls for each query.
const serveDNS = "ServeDNS"

// call is one of a function, or the return of ServeDNS.
type call struct {
	returns        bool
	goroutine      string
	function, file string // "query.Parse", "query/parse.go"
}

func (c call) isServeDNS() bool { return strings.HasSuffix(c.function, "."+serveDNS) }

func (c call) pkg() string { name, _, _ := strings.Cut(c.function, "."); return name }

// trace is the calls in their order, of all goroutines.
type trace []call

// record returns the calls that a CoreDNS makes while asks runs. That returns how
// many queries it has asked; record waits until ServeDNS has returned as often, and until
// last was called, which may be after the reply that shows its change; "" is for no
// function. (A query from before may have its reply, and its return still to come.)
func record(t *testing.T, socket, last string, asks func() int) (all trace) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	next := func() string {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if !lines.Scan() {
			t.Fatalf("the recording ended after %d calls: %v", len(all), lines.Err())
		}
		return lines.Text()
	}
	next()                           // it has begun
	entered := make(map[string]bool) // goroutines
	for left := asks(); left > 0 || last != ""; {
		words := strings.Fields(next())
		c := call{words[0] == "leave", words[1], words[2], words[3]}
		if c.function == last {
			last = ""
		}
		switch {
		case !c.returns:
			entered[c.goroutine] = entered[c.goroutine] || c.isServeDNS()
		case !entered[c.goroutine]:
			continue
		default:
			delete(entered, c.goroutine)
			left--
		}
		all = append(all, c)
	}
	return all
}

// query is what is called between ServeDNS's entry and its return, on all
// goroutines. The trace has to be that of one query.
func (all trace) query() (calls trace) {
	for _, c := range all {
		if !c.returns && (c.isServeDNS() || len(calls) > 0) {
			calls = append(calls, c)
		}
	}
	return calls
}

// background is what is called, except for queries.
func (all trace) background() (calls trace) {
	asked := make(map[string]bool) // goroutines
	for _, c := range all {
		if c.isServeDNS() {
			asked[c.goroutine] = !c.returns
		} else if !asked[c.goroutine] {
			calls = append(calls, c)
		}
	}
	return calls
}

// files counts the different ones, functions the different functions.
func (all trace) files() int     { return all.count(func(c call) string { return c.file }) }
func (all trace) functions() int { return all.count(func(c call) string { return c.function }) }

// in is the calls of functions of packages.
func (all trace) in(pkgs ...string) (calls trace) {
	for _, c := range all {
		if slices.Contains(pkgs, c.pkg()) {
			calls = append(calls, c)
		}
	}
	return calls
}

func (all trace) count(key func(call) string) int {
	different := make(map[string]bool)
	for _, c := range all {
		different[key(c)] = true
	}
	return len(different)
}

// String has a line for each call: its number, its goroutine's, and what a line of
// CONTRIBUTING.md has.
func (all trace) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls of %d functions in %d files\n", len(all), all.functions(), all.files())
	seen := make(map[string]bool)
	for _, c := range all {
		if pkg := c.pkg(); !seen[pkg] {
			seen[pkg] = true
			of := all.in(pkg)
			fmt.Fprintf(&b, "of package %s %d calls of %d functions in %d files\n", pkg, len(of), of.functions(), of.files())
		}
	}
	goroutines, widest := make(map[string]int), 0
	for _, c := range all {
		widest = max(widest, len(c.function))
	}
	for i, c := range all {
		if goroutines[c.goroutine] == 0 {
			goroutines[c.goroutine] = len(goroutines) + 1
		}
		fmt.Fprintf(&b, "%3d g%d  %-*s  %s\n", i+1, goroutines[c.goroutine], widest, c.function, c.file)
	}
	return b.String()
}

func TestTrace(t *testing.T) {
	all := trace{
		{false, "1", "a.watch", "a.go"},
		{false, "2", "a.(*T).ServeDNS", "a.go"},
		{false, "2", "a.parse", "b.go"},
		{false, "1", "a.watch", "a.go"},
		{true, "2", "a.(*T).ServeDNS", "a.go"},
	}
	if got := all.in("a"); len(got) != 5 || got.files() != 2 {
		t.Errorf("in: %v", got)
	}
	if got := all.query(); len(got) != 3 || got.files() != 2 || got.functions() != 3 || got[2].function != "a.watch" {
		t.Errorf("query: %v", got)
	}
	again := append(all, call{false, "2", "a.reuse", "a.go"}, call{false, "3", "a.(*T).ServeDNS", "a.go"}, call{false, "1", "a.late", "a.go"})
	if got := again.background(); len(got) != 4 || got[0] != all[0] || got[1] != all[3] || got[2].function != "a.reuse" || got[3].function != "a.late" {
		t.Errorf("background: %v", got)
	}
}
