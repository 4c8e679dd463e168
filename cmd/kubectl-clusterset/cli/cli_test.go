package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// run runs the command line with a verb whose outcome is err.
func run(outcome error, args ...string) (code int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	c := New(strings.NewReader(""), &stdout, &stderr, "v1")
	output := NewOutput(Table, JSON)
	verb := &cobra.Command{Use: "do NAME", Args: Args(cobra.ExactArgs(1)), RunE: func(*cobra.Command, []string) error {
		if output.IsData() {
			return errors.Join(output.Print(c.Out, map[string]string{"a": "<b>"}), outcome)
		}
		return errors.Join(PrintTable(c.Out, [][]string{{"NAME", "AGE"}, {"cluster1", "3s"}}), outcome)
	}}
	output.AddFlag(verb)
	code = c.Run(NewRoot(c, verb), args)
	return code, stdout.String(), stderr.String()
}

// TestExit: each outcome has its code, and an error is printed once, to standard error.
func TestExit(t *testing.T) {
	const table = "NAME       AGE\ncluster1   3s\n"
	for _, c := range []struct {
		name    string
		outcome error
		args    string
		code    int
		out     string
		errOut  string
	}{
		{"good", nil, "do it", Good, table, ""},
		{"degraded", Exit(Degraded), "do it", Degraded, table, ""},
		{"failed", errors.New("no API"), "do it", Failed, table, "error: no API\n"},
		{"failed, shown", Exit(Failed), "do it", Failed, table, ""},
		{"usage", Usage("not so"), "do it", WrongUsage, table, "error: not so\nSee 'kubectl clusterset do --help'.\n"},
		{"arguments", nil, "do", WrongUsage, "", "error: accepts 1 arg(s), received 0; it is: kubectl clusterset do NAME [flags]\nSee 'kubectl clusterset do --help'.\n"},
		{"flag", nil, "do it --no", WrongUsage, "", "error: unknown flag: --no\nSee 'kubectl clusterset do --help'.\n"},
		{"form", nil, "do it -o xml", WrongUsage, "", `error: invalid argument "xml" for "-o, --output" flag: must be table|json` + "\nSee 'kubectl clusterset do --help'.\n"},
		{"verb", nil, "undo", WrongUsage, "", "error: unknown command \"undo\" for \"kubectl clusterset\"\nSee 'kubectl clusterset --help'.\n"},
		{"json", nil, "do it -o json", Good, "{\n  \"a\": \"<b>\"\n}\n", ""},
		{"version", nil, "version", Good, "v1\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errOut := run(c.outcome, strings.Fields(c.args)...)
			if code != c.code || out != c.out || errOut != c.errOut {
				t.Errorf("have code %d, out %q, err %q\nwant code %d, out %q, err %q", code, out, errOut, c.code, c.out, c.errOut)
			}
		})
	}
}

// TestASCII: marks are ASCII where the locale or the terminal asks for it.
func TestASCII(t *testing.T) {
	for _, c := range []struct {
		environment map[string]string
		want        bool
	}{
		{map[string]string{"LANG": "en_US.UTF-8"}, false},
		{map[string]string{"LANG": "C.utf8"}, false},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "C"}, true},
		{map[string]string{"LANG": "en_US.UTF-8", "TERM": "dumb"}, true},
		{map[string]string{}, true},
	} {
		context := New(nil, new(bytes.Buffer), nil, "")
		context.Getenv = func(name string) string { return c.environment[name] }
		if context.ASCII() != c.want {
			t.Errorf("%v: have %v", c.environment, !c.want)
		}
		if context.HasColour() || context.Paint(Red, "x") != "x" {
			t.Errorf("%v: colour in what isn't a terminal", c.environment)
		}
	}
}
