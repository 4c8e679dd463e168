package check

import (
	"fmt"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// marks are an outcome's, as a terminal has them and in ASCII.
var marks = map[outcome]struct {
	mark, ascii string
	colour      cli.Colour
}{
	success: {"√ ", "ok  ", cli.Green},
	warning: {"‼ ", "warn", cli.Yellow},
	failure: {"× ", "FAIL", cli.Red},
	skipped: {"- ", "skip", cli.Faint},
}

func (r *report) print(c *cli.Context, output *cli.Output) error {
	if output.IsData() {
		return output.Print(c.Out, r)
	}
	count := make(map[outcome]int)
	for _, s := range r.Categories {
		if output.Format != cli.Short {
			fmt.Fprintf(c.Out, "%s\n", c.Paint(cli.Bold, s.Name))
		}
		for _, l := range s.Checks {
			count[l.Result]++
			if output.Format == cli.Short && (l.Result == success || l.Result == skipped) {
				continue
			}
			l.print(c, output.Format != cli.Short)
		}
		if output.Format != cli.Short {
			fmt.Fprintln(c.Out)
		}
	}
	_, err := fmt.Fprintln(c.Out, sum(count))
	return err
}

func sum(count map[outcome]int) string {
	if count[failure]+count[warning]+count[skipped] == 0 {
		return fmt.Sprintf("%d checks, all good", count[success])
	}
	return fmt.Sprintf("%d good, %d warnings, %d failed, %d skipped", count[success], count[warning], count[failure], count[skipped])
}

// print writes the line, and with details what it leads to and what mends it.
func (l line) print(c *cli.Context, details bool) {
	mark := marks[l.Result]
	text := fmt.Sprintf("%s %s %s", c.Paint(mark.colour, c.Mark(mark.mark, mark.ascii)), l.ID, l.Description)
	if l.Subject != "" {
		text += " [" + l.Subject + "]"
	}
	if l.Error != "" {
		text += ": " + strings.ReplaceAll(l.Error, "\n", "; ")
	}
	fmt.Fprintln(c.Out, text)
	if !details {
		return
	}
	for _, detail := range []struct{ what, text string }{{"leads to", l.LeadsTo}, {"mend", l.Mend}, {"see", l.Hint}} {
		if detail.text != "" {
			fmt.Fprintf(c.Out, "       %s: %s\n", detail.what, strings.ReplaceAll(detail.text, "\n", "\n         "))
		}
	}
}
