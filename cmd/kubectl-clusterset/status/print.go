package status

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// print writes the report in the form of the output.
func (r *Report) print(c *cli.Context, output *cli.Output) error {
	switch {
	case output.IsData():
		return output.Print(c.Out, r)
	case output.Format == cli.Short:
		_, err := fmt.Fprintln(c.Out, r.short())
		return err
	}
	for n, set := range r.Sets {
		if r.Answering == 0 {
			break // nobody says what is in it
		}
		if n > 0 {
			fmt.Fprintln(c.Out)
		}
		if err := r.printSet(c, &set, output.Format == cli.Wide); err != nil {
			return err
		}
	}
	if len(r.Findings) > 0 && r.Answering > 0 {
		fmt.Fprintln(c.Out)
	}
	for _, f := range r.Findings {
		mark := c.Paint(cli.Yellow, c.Mark("!", "!"))
		if f.Health == status.Failed {
			mark = c.Paint(cli.Red, c.Mark("✗", "x"))
		}
		fmt.Fprintf(c.Out, "%s %s: %s\n", mark, f.About, f.Text)
	}
	return nil
}

func (r *Report) printSet(c *cli.Context, set *Set, wide bool) error {
	if len(set.Members) > 0 {
		if err := cli.PrintTable(c.Out, table(set, wide)); err != nil {
			return err
		}
		fmt.Fprintln(c.Out)
	}
	if set.Hash == "" && len(set.Members) == 0 {
		fmt.Fprintf(c.Out, "Nothing is joined yet: no member in %s. `kubectl clusterset join` adds one.\n", set.Source)
		return nil
	}
	line := set.Source + ": " + cli.Count(len(set.Members), "member")
	if set.Hash != "" {
		line += fmt.Sprintf(", version %s in force on %d of %d replicas%s", set.Hash, set.InForce, r.Wanted, since(set.Since))
	}
	fmt.Fprintln(c.Out, line)
	return nil
}

func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func table(set *Set, wide bool) [][]string {
	rows := [][]string{{"NAME", "NETWORK", "DNS", "RTT", "DATA", "AGE", "SERVICES", "ENDPOINTSLICES", "REPLICAS"}}
	if wide {
		rows[0] = append(rows[0], "REGION", "ZONE", "SERVICE CIDRS", "UPSTREAMS")
	}
	for _, m := range set.Members {
		name := m.Name
		if m.Local {
			name += " (here)"
		}
		row := []string{name, m.Network, m.DNS, roundTrip(m.Seconds), orDash(m.Data), "-", "-", "-", fmt.Sprintf("%d/%d", m.Healthy, m.Replicas)}
		if m.Data != "" {
			row[5] = duration.HumanDuration(m.Age)
			row[6], row[7] = fmt.Sprint(m.Services), fmt.Sprint(m.EndpointSlices)
		}
		if wide {
			row = append(row, orDash(m.Region), orDash(m.Zone), orDash(strings.Join(m.CIDRs, ",")), orDash(strings.Join(m.Upstreams, ",")))
		}
		rows = append(rows, row)
	}
	return rows
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// roundTrip has two digits that say something.
func roundTrip(seconds float64) string {
	ms := seconds * 1000
	switch {
	case ms == 0:
		return "-"
	case ms < 10:
		return fmt.Sprintf("%.1fms", ms)
	default:
		return fmt.Sprintf("%.0fms", ms)
	}
}

// short is one line, for a chat.
func (r *Report) short() string {
	var parts []string
	for _, set := range r.Sets {
		if set.Hash == "" && len(set.Members) == 0 {
			parts = append(parts, "nothing is joined yet")
			continue
		}
		good := 0
		for _, m := range set.Members {
			if m.Health == status.OK {
				good++
			}
		}
		parts = append(parts, fmt.Sprintf("%d of %s ok", good, cli.Count(len(set.Members), "member")))
	}
	parts = append(parts, fmt.Sprintf("%d of %d replicas answer", r.Answering, r.Wanted))
	line := fmt.Sprintf("clusterset %s: %s", r.Health, strings.Join(parts, ", "))
	for n, f := range r.Findings {
		if n == maxShort {
			return line + fmt.Sprintf("; and %d more", len(r.Findings)-maxShort)
		}
		line += fmt.Sprintf("; %s: %s", f.About, f.Text)
	}
	return line
}

// maxShort is how many findings one line has room for.
const maxShort = 3
