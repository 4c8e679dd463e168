package lookup

import (
	"fmt"
	"io"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// print writes the report in the form of the output.
func (r *Report) print(c *cli.Context, output *cli.Output) error {
	if output.IsData() {
		return output.Print(c.Out, r)
	}
	for n, replica := range r.Replicas {
		switch {
		case replica.Lookup == nil:
			c.Progress("%s %s: %s", c.Mark("✗", "x"), replica.Name, replica.Error)
		case output.Format == cli.Short:
			fmt.Fprintln(c.Out, short(replica.Lookup))
		default:
			if n > 0 {
				fmt.Fprintln(c.Out)
			}
			printOne(c, replica.Name, replica.Lookup)
		}
	}
	if r.Differ {
		c.Progress("%s replicas answer differently", c.Mark("!", "!"))
	}
	return nil
}

// printOne writes an answer as dig does, and then how it was found.
func printOne(c *cli.Context, name string, l *status.Lookup) {
	fmt.Fprintf(c.Out, ";; %s: %s%s\n", name, summary(l), took(l.Seconds))
	section(c.Out, "QUESTION", []string{";" + l.Name + "\tIN\t" + l.Type})
	section(c.Out, "ANSWER", l.Answer)
	section(c.Out, "AUTHORITY", l.Authority)
	section(c.Out, "ADDITIONAL", l.Additional)
	if e := l.ExtendedError; e != nil {
		fmt.Fprintf(c.Out, ";; EXTENDED ERROR %d (%s): %s\n", e.Code, line(e.Name), line(e.Text))
	}
	if l.Error != "" {
		fmt.Fprintf(c.Out, ";; ERROR %s\n", line(l.Error))
	}
	if len(l.Steps) == 0 {
		return
	}
	fmt.Fprintln(c.Out, "\nHow it was found:")
	for n, step := range l.Steps {
		fmt.Fprintf(c.Out, "%2d. %s\n", n+1, line(step))
	}
}

func section(w io.Writer, name string, records []string) {
	if len(records) == 0 {
		return
	}
	fmt.Fprintf(w, ";; %s\n", name)
	for _, record := range records {
		fmt.Fprintln(w, clean(record))
	}
}

// clean is a record in presentation format, which has tabs between its fields.
func clean(record string) string {
	fields := strings.Split(record, "\t")
	for n := range fields {
		fields[n] = quoted.Line(fields[n], maxRecord)
	}
	return strings.Join(fields, "\t")
}

// maxRecord is more than a record of 64 KiB has, each octet written as \DDD.
const maxRecord = 4 << 16

func line(text string) string { return quoted.Ends(text, maxText) }

func took(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf(", in %.2f ms", seconds*1000)
}

// short is one line, for a chat.
func short(l *status.Lookup) string {
	var data []string
	for _, record := range l.Answer {
		fields := strings.SplitN(record, "\t", 5)
		data = append(data, strings.Join(fields[min(3, len(fields)-1):], " "))
	}
	text := fmt.Sprintf("%s %s: %s", l.Name, l.Type, summary(l))
	if len(data) > 0 {
		text += ": " + strings.Join(data, ", ")
	}
	if l.Source != "" {
		text += " (" + l.Source + ")"
	}
	if e := l.ExtendedError; e != nil {
		text += fmt.Sprintf("; EDE %d (%s): %s", e.Code, e.Name, e.Text)
	}
	return line(text)
}
