package document

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Parsed is what Parse made of documents. Nobody changes it.
type Parsed struct {
	// Documents are those that could be read, by key.
	Documents map[string]*Document
	// Set is the ClusterSet of all of them: members and policies in the order of the keys.
	// It is nil where one of Findings is an error.
	Set *model.ClusterSet
	// Findings are what is wrong, 1,000 at most; More is how many there are beside them.
	Findings []Finding
	More     int
}

// maxErrors is how many errors a log, or a reader, can take of a document that is wrong
// all over.
const maxErrors = 20

// Err returns the errors of p.Findings, a line each and 20 at most; nil if there are none.
func (p *Parsed) Err() error {
	if p.Set != nil {
		return nil
	}
	var lines []error
	for _, f := range p.Findings[:min(maxErrors, len(p.Findings))] {
		lines = append(lines, errors.New(f.String()))
	}
	if more := p.More + len(p.Findings) - len(lines); more > 0 {
		lines = append(lines, fmt.Errorf("... and %d more", more))
	}
	return errors.Join(lines...)
}

// Parse reads documents, by their keys (a ConfigMap's, or a file's name), as one
// ClusterSet. It finds all that is wrong with them at once, except where a document goes
// beyond a bound: that is then the first finding, before those up to there.
func Parse(documents map[string]string) *Parsed {
	keys := slices.Sorted(maps.Keys(documents))
	p, left := newParser(), newBudget()
	parsed := &Parsed{Documents: make(map[string]*Document)}
	for _, key := range keys {
		p.key = key
		if doc := p.read(documents[key], left); doc != nil {
			parsed.Documents[key] = doc
			p.convert(doc)
		}
		if p.tooMuch != nil {
			parsed.Findings, parsed.More = append([]Finding{*p.tooMuch}, p.found...), p.more
			return parsed
		}
	}
	p.references()
	if len(p.found) == 0 && len(p.set.Clusters) == 0 {
		p.key = cmp.Or(strings.Join(keys, ", "), "no document")
		p.report("clusters", "none; a ClusterSet has at least one")
	}
	if len(p.found) == 0 {
		parsed.Set = p.set
		p.overlaps()
		p.idle()
	}
	parsed.Findings, parsed.More = p.found, p.more
	return parsed
}

// read reads one document. It returns nil where there is none to read on in.
func (p *parser) read(text string, left *budget) *Document {
	root, errs := readTree(text, left)
	for _, err := range errs {
		if isTooMuch(err) {
			p.end("", err.Error())
			return nil
		}
		p.report("", "%s", err)
	}
	if root == nil {
		p.unread = true
		return nil
	}
	return p.decode(root)
}
