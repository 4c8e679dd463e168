package check

import (
	_ "embed" // the pages
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// pages is README.md: who has no more than the binary can read it too.
//
//go:embed README.md
var pages string

// ids are those of all checks, in their order.
func ids() (all []string) {
	for _, category := range catalog {
		for _, c := range category.checks {
			all = append(all, c.id)
		}
	}
	return all
}

// explain writes a check's section, as plain text.
func explain(w io.Writer, id string) error {
	id = strings.ToUpper(id)
	_, rest, found := strings.Cut(pages, "\n### "+id+"\n")
	if !found {
		known := ids()
		return cli.Usage("--explain %q: no such check; they are %s to %s", id, known[0], known[len(known)-1])
	}
	section, _, _ := strings.Cut(rest, "\n#")
	_, err := fmt.Fprintf(w, "%s: %s\n", id, plain(strings.TrimSpace(section)))
	return err
}

var link = regexp.MustCompile(`\[([^]]+)\]\(([^)]+)\)`)

// plain makes plain text of Markdown: each part is a line, and a link says which of the
// project's files it leads to.
func plain(text string) string {
	text = link.ReplaceAllStringFunc(text, func(found string) string {
		part := link.FindStringSubmatch(found)
		file, _, _ := strings.Cut(part[2], "#")
		if file == "" || strings.Contains(file, "://") {
			return part[1]
		}
		return part[1] + " (" + path.Join("cmd/kubectl-clusterset/check", file) + ")"
	})
	for _, part := range []string{"Symptom", "Cause", "Mend"} {
		text = strings.Replace(text, " **"+part+"**:", "\n  "+strings.ToLower(part)+":", 1)
	}
	return text
}
