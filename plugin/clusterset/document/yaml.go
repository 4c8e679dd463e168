package discovery

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedyaml"
)

const (
	// maxDocument bounds a document, in bytes, also after its aliases are expanded.
	maxDocument = boundedfile.Document
	// maxDocuments bounds all documents of a ConfigMap together.
	maxDocuments = 2 * maxDocument
	// maxItems bounds what a parser makes values of, in all documents together: each
	// takes it a third of a kilobyte.
	maxItems = 350_000
)

// budget is what the documents of one ClusterSet may still have.
type budget struct{ bytes, items int }

func newBudget() *budget { return &budget{bytes: maxDocuments, items: maxItems} }

// tooMuch is what a document has over its bounds. It is told alone: reading ends
// there.
type tooMuch struct{ error }

func isTooMuch(err error) bool {
	_, is := errors.AsType[tooMuch](err)
	return is
}

// spend takes the text's length and items.
func (b *budget) spend(text string) error {
	if len(text) > maxDocument {
		return tooMuch{fmt.Errorf("%d bytes: a document has %d at most", len(text), maxDocument)}
	}
	if b.bytes -= len(text); b.bytes < 0 {
		return tooMuch{fmt.Errorf("all documents together have more than %d bytes", maxDocuments)}
	}
	return b.count(text)
}

func (b *budget) count(text string) error {
	items, line, err := boundedyaml.Items(text, b.items)
	b.items -= items
	switch {
	case errors.Is(err, boundedyaml.ErrItems):
		return tooMuch{fmt.Errorf("line %d: more than %d lines, keys and list items, in all documents together", line, maxItems)}
	case err != nil:
		return tooMuch{fmt.Errorf("line %d: more than %d directives", line, boundedyaml.MaxDirectives)}
	}
	return nil
}

// readYAML reads the one document in text, nil when there is none: what else is
// there, is comments and empty documents.
func readYAML(text string) (*yaml.Node, error) {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return nil, errors.New("not YAML: UTF-16; write it in UTF-8")
	}
	decoder := yaml.NewDecoder(strings.NewReader(withVersion(text)))
	var found *yaml.Node
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, errors.New("not YAML: " + strings.TrimPrefix(err.Error(), "yaml: "))
		}
		root := document.Content[0]
		if root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 {
			continue // nothing between two "---"
		}
		if found != nil {
			return nil, errors.New(`more than one document; put what follows "---" under a key of its own`)
		}
		found = root
	}
}

// version is a %YAML directive of a version that the parser may not know.
var version = regexp.MustCompile(`^%YAML[ \t]+1\.[0-9]+`)

// withVersion makes a %YAML directive before the document one of 1.1. The parser
// takes no other, but YAML 1.2 (section 6.8.1) says of each 1.x to read on.
func withVersion(text string) string {
	for at := 0; at < len(text); {
		line := text[at:]
		if end := strings.IndexAny(line, "\r\n"); end >= 0 {
			line = line[:end+1]
		}
		content := strings.TrimPrefix(strings.TrimSpace(line), "\ufeff")
		if content != "" && content[0] != '#' && content[0] != '%' {
			break
		}
		if directive := version.FindString(content); directive != "" {
			known := "%YAML 1.1"
			start := at + strings.Index(line, directive)
			return text[:start] + known + text[start+len(directive):]
		}
		at += len(line)
	}
	return text
}
