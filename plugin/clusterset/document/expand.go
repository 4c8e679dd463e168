package discovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

const (
	// maxDepth bounds how deep lists and mappings are nested.
	maxDepth = 100
	// valueSize is what a value that an alias repeats counts for beside its bytes.
	valueSize = 16
)

// toJSON writes a document without its aliases and merge keys. What aliases make of
// it is counted while it is written, and before: repeated, a document of 500 KB
// becomes 4 GB, or nothing at all after hours of work.
func toJSON(root *yaml.Node, size int, all *budget) ([]byte, []error) {
	x := &expansion{left: maxDocument - size, all: all, open: make(map[*yaml.Node]bool)}
	if err := x.value(root); err != nil {
		x.report(err)
	}
	return x.out.Bytes(), x.errs
}

type expansion struct {
	out bytes.Buffer
	// left is how many bytes aliases may still add to this document, and all the same
	// for all of them.
	left int
	all  *budget
	// depth counts the lists and mappings around what is written, and aliases those of
	// them that an alias stands for; outermost is the first of these.
	depth, aliases int
	outermost      *yaml.Node
	// open are the nodes that are being written.
	open map[*yaml.Node]bool
	errs []error
}

// report keeps what is wrong and doesn't end the writing.
func (x *expansion) report(err error) {
	same := func(e error) bool { return e.Error() == err.Error() } // repeated by an alias
	if len(x.errs) <= maxErrors && !slices.ContainsFunc(x.errs, same) {
		x.errs = append(x.errs, err)
	}
}

func wrongAt(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("not YAML: line %d: "+format, append([]any{n.Line}, args...)...)
}

// value writes a node of any kind. The error ends all writing.
func (x *expansion) value(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		return x.through(n, x.value)
	}
	switch n.Kind {
	case yaml.MappingNode:
		return x.enter(n, x.mapping)
	case yaml.SequenceNode:
		return x.enter(n, x.sequence)
	}
	x.scalar(n)
	return x.pay(n)
}

// through does with what an alias stands for.
func (x *expansion) through(alias *yaml.Node, do func(*yaml.Node) error) error {
	if x.open[alias.Alias] {
		return wrongAt(alias, "*%s: stands within what it names", alias.Value)
	}
	if x.aliases == 0 {
		x.outermost = alias
	}
	x.aliases++
	defer func() { x.aliases-- }()
	return do(alias.Alias)
}

// enter does with a list or a mapping.
func (x *expansion) enter(n *yaml.Node, do func(*yaml.Node) error) error {
	if err := x.pay(n); err != nil {
		return err
	}
	if x.depth == maxDepth {
		return tooMuch{wrongAt(n, "nested more than %d deep", maxDepth)}
	}
	x.depth++
	x.open[n] = true
	defer func() {
		x.depth--
		delete(x.open, n)
	}()
	return do(n)
}

// pay counts a node that an alias repeats.
func (x *expansion) pay(n *yaml.Node) error {
	if x.aliases == 0 {
		return nil
	}
	size := len(n.Value) + valueSize
	x.left -= size
	x.all.bytes -= size
	if x.left < 0 || x.all.bytes < 0 {
		bound, what := maxDocument, "the document"
		if x.left >= 0 {
			bound, what = maxDocuments, "all documents together"
		}
		return tooMuch{wrongAt(x.outermost, "*%s: aliases make %s larger than %d bytes", x.outermost.Value, what, bound)}
	}
	return nil
}

func (x *expansion) sequence(n *yaml.Node) error {
	x.checkTag(n, "!!seq")
	x.out.WriteByte('[')
	for i, item := range n.Content {
		if i > 0 {
			x.out.WriteByte(',')
		}
		if err := x.value(item); err != nil {
			return err
		}
	}
	x.out.WriteByte(']')
	return nil
}

func (x *expansion) mapping(n *yaml.Node) error {
	found := entries{has: make(map[string]bool)}
	if err := x.collect(n, &found); err != nil {
		return err
	}
	x.out.WriteByte('{')
	for i, e := range found.inOrder {
		if i > 0 {
			x.out.WriteByte(',')
		}
		x.text(e.key)
		x.out.WriteByte(':')
		aliases, outermost := x.aliases, x.outermost
		x.aliases, x.outermost = e.aliases, e.outermost
		err := x.value(e.value)
		x.aliases, x.outermost = aliases, outermost
		if err != nil {
			return err
		}
	}
	x.out.WriteByte('}')
	return nil
}

// entries are a mapping's: its own, then those it merges that it has not.
type entries struct {
	inOrder []entry
	has     map[string]bool
}

type entry struct {
	key   string
	value *yaml.Node
	// aliases and outermost are what they were where the entry was found.
	aliases   int
	outermost *yaml.Node
}

// collect adds n's entries, and those of its merge key: the first of a key counts
// (YAML's merge key type, yaml.org/type/merge.html).
func (x *expansion) collect(n *yaml.Node, into *entries) error {
	x.checkTag(n, "!!map")
	var merged *yaml.Node
	own := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, isMerge, err := x.key(n.Content[i])
		if err != nil {
			return err
		}
		if own[key] {
			x.report(wrongAt(n.Content[i], "key %q already set in map", quoted.Cut(key, maxQuoted)))
			continue
		}
		own[key] = true
		switch {
		case isMerge:
			merged = n.Content[i+1]
		case !into.has[key]:
			into.has[key] = true
			into.inOrder = append(into.inOrder, entry{key, n.Content[i+1], x.aliases, x.outermost})
		}
	}
	if merged == nil {
		return nil
	}
	return x.merge(merged, into, true)
}

// merge adds the entries of what a merge key has: a mapping, or a list of them.
func (x *expansion) merge(n *yaml.Node, into *entries, listed bool) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return x.through(n, func(n *yaml.Node) error { return x.merge(n, into, listed) })
	case n.Kind == yaml.MappingNode:
		return x.enter(n, func(n *yaml.Node) error { return x.collect(n, into) })
	case n.Kind == yaml.SequenceNode && listed:
		return x.enter(n, func(n *yaml.Node) error {
			for _, item := range n.Content {
				if err := x.merge(item, into, false); err != nil {
					return err
				}
			}
			return nil
		})
	}
	x.report(wrongAt(n, "<<: not a mapping, nor a list of mappings"))
	return nil
}

// key gives a mapping's key as text. The error ends all writing.
func (x *expansion) key(n *yaml.Node) (key string, isMerge bool, err error) {
	if n.Kind == yaml.AliasNode {
		err = x.through(n, func(n *yaml.Node) error {
			key, _, err = x.key(n)
			return err
		})
		return key, false, err
	}
	if err := x.pay(n); err != nil {
		return "", false, err
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		x.report(wrongAt(n, "a key that is no string"))
	}
	return n.Value, n.ShortTag() == "!!merge", nil
}

func (x *expansion) checkTag(n *yaml.Node, want string) {
	if tag := n.ShortTag(); tag != want {
		x.report(wrongAt(n, "tag %s: not %s", quoted.Cut(tag, maxQuoted), want))
	}
}

func (x *expansion) scalar(n *yaml.Node) {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge": // there are no times in a document
		x.text(n.Value)
	case "!!null":
		x.out.WriteString("null")
	case "!!bool", "!!int", "!!float":
		var value any
		err := n.Decode(&value)
		text, jsonErr := json.Marshal(value)
		if errors.Join(err, jsonErr) != nil { // NaN, or a tag of another type
			x.report(wrongAt(n, "%q: not %s", quoted.Cut(n.Value, maxQuoted), tag))
			text = []byte("null")
		}
		x.out.Write(text)
	default:
		x.report(wrongAt(n, "tag %s: not one of YAML's own", quoted.Cut(tag, maxQuoted)))
		x.out.WriteString("null")
	}
}

func (x *expansion) text(s string) {
	text, _ := json.Marshal(s) // strings never fail
	x.out.Write(text)
}
