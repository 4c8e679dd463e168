package main

import (
	"io"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// TestHelp: each verb has an example, and says its exit codes, in lines that a terminal has room
// for.
func TestHelp(t *testing.T) {
	c := cli.New(strings.NewReader(""), io.Discard, io.Discard, "v1")
	for _, verb := range newRoot(c).Commands() {
		if verb.Name() == "version" {
			continue
		}
		if !strings.Contains(verb.Long, "Exit codes: 0 ") || verb.Example == "" {
			t.Errorf("%s: its help has no exit codes, or no example:\n%s\n%s", verb.Name(), verb.Long, verb.Example)
		}
		for line := range strings.Lines(verb.Long) {
			if len(line) > 100 {
				t.Errorf("%s: a line of its help has %d bytes: %s", verb.Name(), len(line), line)
			}
		}
	}
}
