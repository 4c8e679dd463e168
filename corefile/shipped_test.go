package corefile

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/miekg/dns"
)

// Every server block that is shipped, in a Corefile or in a page that shows one,
// sends no more than 1232 bytes over UDP, whatever a client, or who pretends to be it,
// says it takes; and logs failed queries by the half-minute, not each.
func TestShipped(t *testing.T) {
	blocks := shipped(t)
	for where, text := range blocks {
		t.Run(where, func(t *testing.T) {
			lines := directives(t, text)
			if slices.Contains(lines, "bind 169.254.20.10") {
				wantNodeLocal(t, lines)
				return
			}
			if !slices.Contains(lines, "bufsize 1232") {
				t.Errorf("no bufsize 1232 in\n%s", text)
			}
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "errors consolidate 30s .*") }) {
				t.Errorf("no errors that consolidates them all in\n%s", text)
			}
		})
	}
	if want := 12; len(blocks) < want {
		t.Errorf("%d server blocks found, want %d at least", len(blocks), want)
	}
}

// nodeLocalPlugins are those that NodeLocal DNSCache is built with, of which a block may
// have need. Others, as bufsize, keep it from starting.
var nodeLocalPlugins = []string{"bind", "cache", "errors", "forward", "health", "log", "loop", "prometheus", "reload"}

// wantNodeLocal: a block for NodeLocal DNSCache has nothing that it doesn't know.
func wantNodeLocal(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, " "); !slices.Contains(nodeLocalPlugins, name) {
			t.Errorf("NodeLocal DNSCache has no %q", name)
		}
	}
	for _, want := range []string{"cache success 9984 5", "cache denial 9984 5", "forward . 10.101.0.53 force_tcp"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %q in %q", want, lines)
		}
	}
}

// shipped are the server blocks of the repository, but those of tests, by file and line.
func shipped(t *testing.T) map[string]string {
	t.Helper()
	blocks := make(map[string]string)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if name := entry.Name(); entry.IsDir() && path != ".." && (strings.HasPrefix(name, ".") || name == "bin" || name == "test") {
			return fs.SkipDir
		}
		if err == nil && (entry.Name() == "Corefile" || filepath.Ext(path) == ".md") {
			serverBlocks(strings.TrimPrefix(filepath.ToSlash(path), "../"), read(t, path), blocks)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// asks is what makes a server block of a block in braces: other languages have such too.
var asks = regexp.MustCompile(`(?m)^\s*(clusterset|kubernetes|forward)\b`)

var fenced = regexp.MustCompile("^ *(~~~|```)")

// serverBlocks finds them at any indentation.
func serverBlocks(file, text string, blocks map[string]string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		head := strings.TrimLeft(lines[i], " ")
		if !strings.HasSuffix(head, " {") || strings.HasPrefix(head, "#") {
			continue
		}
		indent := strings.Repeat(" ", len(lines[i])-len(head))
		end := slices.IndexFunc(lines[i:], func(line string) bool { return line == indent+"}" || fenced.MatchString(line) })
		if end < 0 || lines[i+end] != indent+"}" {
			continue
		}
		if asks.MatchString(strings.Join(lines[i+1:i+end], "\n")) {
			blocks[fmt.Sprintf("%s:%d", file, i+1)] = strings.Join(lines[i:i+end+1], "\n")
		}
		i += end
	}
}

// directives are the lines of a server block, each of an option's block with its
// directive before it.
func directives(t *testing.T, block string) []string {
	t.Helper()
	asJSON, err := caddyfile.ToJSON([]byte(block))
	if err != nil {
		t.Fatal(err)
	}
	var parsed caddyfile.EncodedCaddyfile
	if err := json.Unmarshal(asJSON, &parsed); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range parsed[0].Body {
		words := strings.TrimSuffix(fmt.Sprintln(line[:len(line)-len(options(line))]...), "\n")
		lines = append(lines, words)
		for _, group := range options(line) {
			for _, option := range group.([]any) {
				lines = append(lines, words+" "+strings.TrimSuffix(fmt.Sprintln(option.([]any)...), "\n"))
			}
		}
	}
	return lines
}

// An outage is a line in the log, whoever asks how often.
func TestOutageIsALine(t *testing.T) {
	p := newPlace(t)
	p.port = 1053 + portOffset
	p.document = document(t, path(t, "laptop", "clusterset.yaml"), "127.0.0.1:1", certificates{}) // tcpmux is nobody's
	p.uncached = true
	s := start(t, p, read(t, "laptop/Corefile"))
	for range 100 {
		if reply := s.ask(t, "web.default.cluster2.lan.", dns.TypeA); reply.Rcode != dns.RcodeServerFailure {
			t.Fatalf("want SERVFAIL, have\n%v", reply)
		}
	}
	if err := s.program.Terminate(startTimeout); err != nil {
		t.Fatal(err)
	}
	log := s.program.Log()
	// The reply to the last is sent before its error is logged, which may be as the log
	// ends.
	if n := strings.Count(log, "web.default.cluster2.lan. A: member cluster2: "); n < 1 || n > 2 {
		t.Errorf("%d lines of 100 failures, want 1", n)
	}
	if !regexp.MustCompile(`(99|100) errors like '\^member '`).MatchString(log) {
		t.Error("no line that tells how many")
	}
}
