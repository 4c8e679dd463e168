package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"
)

// Format is a form of output, the value of -o.
type Format string

// The forms. Each verb says which it has.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	Short Format = "short"
)

// Output is the flag -o.
type Output struct {
	Format Format
	forms  []Format
}

// NewOutput returns the flag with the forms that a verb has; the first is the default.
func NewOutput(forms ...Format) *Output {
	return &Output{Format: forms[0], forms: forms}
}

// AddFlag adds -o to the command.
func (o *Output) AddFlag(cmd *cobra.Command) {
	cmd.Flags().VarP(o, "output", "o", "Form of the output: "+o.names())
	_ = cmd.RegisterFlagCompletionFunc("output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return strings.Split(o.names(), "|"), cobra.ShellCompDirectiveNoFileComp
	}) // an error means that it is registered
}

// String implements pflag.Value.
func (o *Output) String() string { return string(o.Format) }

// Type implements pflag.Value.
func (o *Output) Type() string { return "string" }

// Set implements pflag.Value.
func (o *Output) Set(value string) error {
	if !slices.Contains(o.forms, Format(value)) {
		return fmt.Errorf("must be %s", o.names())
	}
	o.Format = Format(value)
	return nil
}

func (o *Output) names() string {
	var names []string
	for _, form := range o.forms {
		names = append(names, string(form))
	}
	return strings.Join(names, "|")
}

// IsData reports whether the output is for machines: JSON or YAML.
func (o *Output) IsData() bool { return o.Format == JSON || o.Format == YAML }

// Print writes the value as JSON or YAML, by its json tags.
func (o *Output) Print(w io.Writer, value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	text := escaped(b.String())
	if o.Format == YAML {
		var err error
		if text, err = yaml.JSONToYAML(text); err != nil {
			return err
		}
	}
	_, err := w.Write(text)
	return err
}

// escaped returns JSON with escapes for what isn't printed: a terminal obeys controls, and YAML
// can't have them. They are in strings alone.
func escaped(text string) []byte {
	var b []byte
	for _, r := range text {
		if r == '\n' || r > 0xffff || strconv.IsPrint(r) { // YAML has no pairs of escapes
			b = utf8.AppendRune(b, r)
		} else {
			b = fmt.Appendf(b, "\\u%04x", r)
		}
	}
	return b
}

// Count returns how many there are of something in words: "1 member", "2 members".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// PrintTable writes rows in columns, as kubectl does. The first row is the heading.
func PrintTable(w io.Writer, rows [][]string) error {
	table := printers.GetNewTabWriter(w)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}
