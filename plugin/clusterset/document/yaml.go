package document

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readTree reads the mapping that a document is. It is nil where there are errors, and has
// neither aliases nor merge keys.
func readTree(text string, left *budget) (*mapping, []error) {
	if err := left.spend(text); err != nil {
		return nil, []error{err}
	}
	if strings.TrimSpace(text) == "" {
		return nil, []error{errors.New("empty; a document starts with apiVersion: " + APIVersion)}
	}
	root, err := readYAML(text)
	if err != nil {
		return nil, []error{err}
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, []error{errors.New("not a mapping; a document starts with apiVersion: " + APIVersion)}
	}
	return expand(root, len(text), left)
}

// readYAML reads the one document in text, beside which there may be comments and empty
// documents. It is nil where there is none.
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
			continue // an empty document
		}
		if found != nil {
			return nil, errors.New(`more than one document; put what follows "---" under a key of its own`)
		}
		found = root
	}
}

// version is a %YAML directive, whose version the parser may not know.
var version = regexp.MustCompile(`^%YAML[ \t]+1\.[0-9]+`)

// withVersion returns the text with YAML 1.1 in a %YAML directive before the document. The
// parser accepts no other version; YAML 1.2 (section 6.8.1) says to read on with any 1.x.
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
			start := at + strings.Index(line, directive)
			return text[:start] + "%YAML 1.1" + text[start+len(directive):]
		}
		at += len(line)
	}
	return text
}
