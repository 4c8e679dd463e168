package check

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// TestPages: each check has a section in README.md, with all four parts; and the other way
// round.
func TestPages(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	ids, sections := ids(), []string(nil)
	for _, section := range regexp.MustCompile(`(?m)^### (CS\d+)\n(.*)$`).FindAllStringSubmatch(string(text), -1) {
		sections = append(sections, section[1])
		for _, part := range []string{"**Symptom**:", "**Cause**:", "**Mend**:"} {
			if !strings.Contains(section[2], part) {
				t.Errorf("%s: no %s", section[1], part)
			}
		}
	}
	if diff := cmp.Diff(ids, sections); diff != "" {
		t.Errorf("checks and sections: %s", diff)
	}
	for i, id := range ids {
		if i > 0 && ids[i-1] >= id {
			t.Errorf("%s after %s", id, ids[i-1])
		}
	}
}

// TestNeeds: what a check needs comes before it.
func TestNeeds(t *testing.T) {
	var seen []string
	for _, category := range catalog {
		for _, c := range category.checks {
			for _, need := range c.needs {
				if !slices.Contains(seen, need) {
					t.Errorf("%s needs %s, which doesn't come before it", c.id, need)
				}
			}
			seen = append(seen, c.id)
		}
	}
}

func found(all ...finding) func(*look, context.Context) []finding {
	return func(*look, context.Context) []finding { return all }
}

// sample has a check that fails for one member, what follows from it for that member and for
// another, and what follows from that.
var sample = []category{
	{"A", []check{
		{id: "CS1", says: "is good", before: true, find: found()},
		{id: "CS2", says: "fails for one", find: found(finding{outcome: failure, subject: "b", reason: "broken", leads: "pain", mend: "do it"})},
	}},
	{"B", []check{
		{id: "CS3", says: "fails for two", needs: []string{"CS2"}, find: found(finding{outcome: failure, subject: "b"}, finding{outcome: failure, subject: "a", reason: "its own"})},
		{id: "CS4", says: "fails for all", needs: []string{"CS2"}, find: found(finding{outcome: failure, reason: "no\nno"})},
		{id: "CS5", says: "isn't asked", needs: []string{"CS4"}, find: func(*look, context.Context) []finding { panic("asked") }},
		{id: "CS6", says: "neither", needs: []string{"CS5"}, find: func(*look, context.Context) []finding { panic("asked") }},
	}},
}

const shownSample = `A
ok   CS1 is good
FAIL CS2 fails for one [b]: broken
       leads to: pain
       mend: do it
       see: kubectl clusterset check --explain CS2

B
FAIL CS3 fails for two [a]: its own
       see: kubectl clusterset check --explain CS3
skip CS3 fails for two [b]: because of CS2
FAIL CS4 fails for all: no; no
       see: kubectl clusterset check --explain CS4
skip CS5 isn't asked: because of CS4
skip CS6 neither: because of CS5

1 good, 0 warnings, 3 failed, 3 skipped
`

// TestCauses: a cause is named once, for whom it is one, and nothing stops what doesn't
// depend on it.
func TestCauses(t *testing.T) {
	r := run(t.Context(), &look{}, sample)
	if have := text(t, r, cli.Table); have != shownSample {
		t.Error(cmp.Diff(shownSample, have))
	}
	if r.exitCode() != cli.Failed {
		t.Errorf("exit code %d", r.exitCode())
	}
	const short = "FAIL CS2 fails for one [b]: broken\nFAIL CS3 fails for two [a]: its own\nFAIL CS4 fails for all: no; no\n1 good, 0 warnings, 3 failed, 3 skipped\n"
	if have := text(t, r, cli.Short); have != short {
		t.Error(cmp.Diff(short, have))
	}
	if have := text(t, run(t.Context(), &look{before: true}, sample), cli.Table); have != "A\nok   CS1 is good\n\n1 checks, all good\n" {
		t.Errorf("--pre: %s", have)
	}
	warned := run(t.Context(), &look{}, []category{{"A", []check{{id: "CS1", find: found(finding{outcome: warning})}}}})
	if warned.exitCode() != cli.Degraded {
		t.Errorf("a warning: exit code %d", warned.exitCode())
	}
}

// TestExplain: a check's hint is a command that prints its section as plain text.
func TestExplain(t *testing.T) {
	for _, id := range ids() {
		var out bytes.Buffer
		if err := explain(&out, strings.ToLower(id)); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{id + ": ", "\n  symptom: ", "\n  cause: ", "\n  mend: "} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%s: no %q in\n%s", id, part, out.String())
			}
		}
		if strings.Contains(out.String(), "](") || strings.Contains(out.String(), "**") || strings.Contains(out.String(), "\n#") {
			t.Errorf("%s isn't plain text of one section:\n%s", id, out.String())
		}
	}
	var out bytes.Buffer
	if err := explain(&out, "CS201"); err != nil || !strings.Contains(out.String(), "deploy (deploy/README.md)") {
		t.Errorf("CS201: %v\n%s", err, out.String())
	}
	if err := explain(&out, "CS999"); err == nil || !strings.Contains(err.Error(), "they are CS101 to CS604") {
		t.Errorf("CS999: %v", err)
	}
}

// TestJSON is in linkerd's form.
func TestJSON(t *testing.T) {
	var have struct {
		Success    bool
		Categories []struct {
			CategoryName string
			Checks       []struct{ ID, Description, Hint, Error, Result string }
		}
	}
	if err := json.Unmarshal([]byte(text(t, run(t.Context(), &look{}, sample), cli.JSON)), &have); err != nil {
		t.Fatal(err)
	}
	if have.Success || len(have.Categories) != 2 || have.Categories[0].CategoryName != "A" {
		t.Fatalf("have %+v", have)
	}
	if c := have.Categories[0].Checks[1]; c.Description != "fails for one" || c.Error != "broken" || c.Result != "error" || c.Hint == "" {
		t.Errorf("have %+v", c)
	}
}

func text(t *testing.T, r *report, form cli.Format) string {
	t.Helper()
	var out bytes.Buffer
	c := cli.New(nil, &out, nil, "")
	c.Getenv = func(string) string { return "" }
	output := cli.NewOutput(form)
	if err := r.print(c, output); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
