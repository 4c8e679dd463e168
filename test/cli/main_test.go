//go:build e2e && linux

package cli

import (
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/world"
)

func TestMain(m *testing.M) {
	world.Enter()
	m.Run()
}

// story is a test in three clusters.
type story struct {
	*testing.T
	*world.World
}

func newStory(t *testing.T) *story {
	t.Helper()
	return &story{t, world.Start(t)}
}

// must runs the command, which has to end well.
func (s *story) must(args ...string) world.Result {
	s.Helper()
	return s.want(0, args)
}

// want runs the command, which has to end with the exit code and to say each text.
func (s *story) want(code int, args []string, texts ...string) world.Result {
	s.Helper()
	r := s.Clusterset(args...)
	s.has(r, code, args, texts...)
	return r
}

func (s *story) has(r world.Result, code int, args []string, texts ...string) {
	s.Helper()
	if r.Code != code {
		s.Errorf("%s: want exit code %d, have %s", strings.Join(args, " "), code, r.Said())
	}
	for _, text := range texts {
		if !strings.Contains(r.Out+r.ErrOut, text) {
			s.Errorf("%s: no %q: %s", strings.Join(args, " "), text, r.Said())
		}
	}
}

func words(line string) []string { return strings.Fields(line) }
