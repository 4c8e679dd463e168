package lint

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// report is what is printed as data.
type report struct {
	// Members and Policies are those of the ClusterSets without errors.
	Members  int                `json:"members"`
	Policies int                `json:"policies"`
	Findings []document.Finding `json:"findings"`
	// More is how many findings there are beside them.
	More int `json:"more,omitempty"`
}

// New returns the verb.
func New(c *cli.Context) *cobra.Command {
	output := cli.NewOutput(cli.Table, cli.JSON, cli.YAML, cli.Short)
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Judge ClusterSet documents in files, in the server's own words",
		Long: `Judge ClusterSet documents in files, in the server's own words.

A FILE is a document, or a manifest of a ConfigMap, of which every key that ends in .yaml
is one; - is standard input. The FILEs that are documents are one ClusterSet together, as
the keys of a ConfigMap are. No cluster is asked.

Exit codes: 0 good, 1 warnings, 2 an error, 3 wrong usage.`,
		Example: `  kubectl clusterset lint clusterset.yaml
  kustomize build deploy | kubectl clusterset lint -`,
		Args: cli.Args(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, files []string) error {
			sets, err := read(files, c.In)
			if err != nil {
				return err
			}
			return show(c, output, judge(sets))
		},
	}
	output.AddFlag(cmd)
	return cmd
}

func judge(sets []documents) *report {
	r := &report{Findings: []document.Finding{}}
	for _, set := range sets {
		p := document.Parse(set)
		r.Findings, r.More = append(r.Findings, p.Findings...), r.More+p.More
		if p.Set != nil {
			r.Members += len(p.Set.Clusters)
			r.Policies += len(p.Set.Policies)
		}
	}
	return r
}

// show prints findings, a line each.
func show(c *cli.Context, output *cli.Output, r *report) error {
	errors, warnings := r.count()
	summary := fmt.Sprintf("%s, %s", cli.Count(errors, "error"), cli.Count(warnings, "warning"))
	if errors == 0 {
		summary = fmt.Sprintf("%s, %s", cli.Count(r.Members, "member"), cli.Count(warnings, "warning"))
	}
	switch {
	case output.IsData():
		if err := output.Print(c.Out, r); err != nil {
			return err
		}
	case output.Format == cli.Short:
		fmt.Fprintln(c.Out, summary)
	default:
		for _, f := range r.Findings {
			fmt.Fprintf(c.Out, "%s: %s\n", f.Severity, f)
		}
		if r.More > 0 {
			fmt.Fprintf(c.Out, "... and %d more\n", r.More)
		}
		fmt.Fprintln(c.Out, summary)
	}
	switch {
	case errors > 0:
		return cli.Exit(cli.Failed)
	case warnings > 0:
		return cli.Exit(cli.Degraded)
	}
	return nil
}

// count returns how many there are of each severity. Of those that aren't kept it is known only
// that they are of the worst.
func (r *report) count() (errors, warnings int) {
	for _, f := range r.Findings {
		if f.Severity == document.Error {
			errors++
		} else {
			warnings++
		}
	}
	if errors > 0 {
		return errors + r.More, warnings
	}
	return errors, warnings + r.More
}
