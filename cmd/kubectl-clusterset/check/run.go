package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// outcome is what a line says.
type outcome string

// The outcomes: those of linkerd's JSON, and skipped.
const (
	success outcome = "success"
	warning outcome = "warning"
	failure outcome = "error"
	skipped outcome = "skipped"
)

// finding is something that a check found. None is a success.
type finding struct {
	outcome outcome
	// subject is whom it is about: a member, a replica; "" is all.
	subject string
	// reason is why, leads what users see of it, mend the command that mends it.
	reason, leads, mend string
}

// check is one line, or one for each subject that isn't good.
type check struct {
	id string
	// says is what holds when it is good.
	says string
	// needs are checks before it, each of which, failed, is the cause of what this one would
	// find: for all, or for the same subject.
	needs []string
	// before is set for a check that can be made before clusterset is installed.
	before bool
	find   func(*look, context.Context) []finding
}

// category is some checks under a heading.
type category struct {
	name   string
	checks []check
}

// line is what is shown of a check.
type line struct {
	ID string `json:"id"`
	// Description, Hint, Error and Result are linkerd's names.
	Description string  `json:"description"`
	Hint        string  `json:"hint,omitempty"`
	Error       string  `json:"error,omitempty"`
	Result      outcome `json:"result"`
	// LeadsTo is what users see of it, Mend a command.
	LeadsTo string `json:"leadsTo,omitempty"`
	Mend    string `json:"mend,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// Report is all of it, in linkerd's form.
type report struct {
	Success    bool       `json:"success"`
	Categories []*section `json:"categories"`
}

type section struct {
	Name   string `json:"categoryName"`
	Checks []line `json:"checks"`
}

// runner knows what was found so far: by id and subject.
type runner struct {
	bad map[string]map[string]bool
}

// run makes all checks in their order.
func run(ctx context.Context, l *look, all []category) *report {
	r := &runner{bad: make(map[string]map[string]bool)}
	report := &report{Success: true}
	for _, category := range all {
		s := &section{Name: category.name}
		for _, c := range category.checks {
			if l.before && !c.before {
				continue
			}
			for _, shown := range r.lines(ctx, l, c) {
				s.Checks = append(s.Checks, shown)
				report.Success = report.Success && shown.Result != failure
			}
		}
		if len(s.Checks) > 0 {
			report.Categories = append(report.Categories, s)
		}
	}
	return report
}

// lines makes one check.
func (r *runner) lines(ctx context.Context, l *look, c check) []line {
	if cause := r.cause(c, ""); cause != "" {
		r.remember(c.id, "")
		return []line{shown(c, finding{outcome: skipped, reason: "because of " + cause})}
	}
	var lines []line
	for _, f := range c.find(l, ctx) {
		if cause := r.cause(c, f.subject); cause != "" {
			f = finding{outcome: skipped, subject: f.subject, reason: "because of " + cause}
		}
		if f.outcome == failure || f.outcome == skipped {
			r.remember(c.id, f.subject)
		}
		lines = append(lines, shown(c, f))
	}
	if len(lines) == 0 {
		return []line{shown(c, finding{outcome: success})}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return strings.Compare(a.Subject, b.Subject) })
	return lines
}

func (r *runner) remember(id, subject string) {
	if r.bad[id] == nil {
		r.bad[id] = make(map[string]bool)
	}
	r.bad[id][subject] = true
}

// cause returns the id of a needed check that failed for all, or for the subject.
func (r *runner) cause(c check, subject string) string {
	for _, need := range c.needs {
		if r.bad[need][""] || subject != "" && r.bad[need][subject] {
			return need
		}
	}
	return ""
}

func shown(c check, f finding) line {
	l := line{ID: c.id, Description: c.says, Result: f.outcome, Error: f.reason, LeadsTo: f.leads, Mend: f.mend, Subject: f.subject}
	if f.outcome == failure || f.outcome == warning {
		l.Hint = "kubectl clusterset check --explain " + c.id
	}
	return l
}

func (r *report) exitCode() int {
	code := cli.Good
	for _, s := range r.Categories {
		for _, l := range s.Checks {
			switch l.Result {
			case failure:
				return cli.Failed
			case warning:
				code = cli.Degraded
			}
		}
	}
	return code
}

// bad is a finding that is an error about all.
func bad(leads, mend, format string, args ...any) []finding {
	return []finding{{outcome: failure, reason: fmt.Sprintf(format, args...), leads: leads, mend: mend}}
}

// warn is a finding that is a warning about all.
func warn(leads, mend, format string, args ...any) []finding {
	return []finding{{outcome: warning, reason: fmt.Sprintf(format, args...), leads: leads, mend: mend}}
}
