package document

import (
	"fmt"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

const (
	// maxDepth bounds how deep lists and mappings are nested.
	maxDepth = 100
	// valueSize is what a value counts for beside its bytes where an alias repeats it.
	valueSize = 16
)

// mapping is a YAML mapping, as it is after its aliases and merge keys are expanded. Its
// values are mappings, lists ([]any), strings, numbers (int, int64, uint64, float64), bools
// and nil.
type mapping struct {
	keys   []string
	values []any
}

// expand returns a document without its aliases and merge keys, or what is wrong with it.
// What aliases repeat is counted before it is made: a document of 500 KB can become 4 GB,
// or nothing at all after hours of work.
func expand(root *yaml.Node, size int, all *budget) (*mapping, []error) {
	x := &expansion{left: MaxBytes - size, all: all, open: make(map[*yaml.Node]bool)}
	tree, err := x.value(root)
	if err != nil {
		x.report(err)
	}
	if len(x.errs) > 0 {
		return nil, x.errs
	}
	return tree.(*mapping), nil
}

type expansion struct {
	// left is how many bytes aliases may still add to this document, and all the same
	// for all of them.
	left int
	all  *budget
	// depth counts the lists and mappings around the present node, and aliases those of
	// them that an alias stands for; outermost is the first of these.
	depth, aliases int
	outermost      *yaml.Node
	// open are the nodes that are being expanded.
	open map[*yaml.Node]bool
	errs []error
}

// report keeps an error that doesn't end the expansion.
func (x *expansion) report(err error) {
	same := func(e error) bool { return e.Error() == err.Error() } // repeated by an alias
	if len(x.errs) <= maxErrors && !slices.ContainsFunc(x.errs, same) {
		x.errs = append(x.errs, err)
	}
}

func wrongAt(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("not YAML: line %d: "+format, append([]any{n.Line}, args...)...)
}

// value returns a node of any kind. The error ends the expansion.
func (x *expansion) value(n *yaml.Node) (value any, err error) {
	switch n.Kind {
	case yaml.AliasNode:
		err = x.through(n, func(n *yaml.Node) (err error) { value, err = x.value(n); return })
	case yaml.MappingNode:
		err = x.enter(n, func(n *yaml.Node) (err error) { value, err = x.mapping(n); return })
	case yaml.SequenceNode:
		err = x.enter(n, func(n *yaml.Node) (err error) { value, err = x.sequence(n); return })
	default:
		return x.scalar(n), x.pay(n)
	}
	return value, err
}

// through calls do with what an alias stands for.
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

// enter calls do with a list or a mapping.
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
		bound, what := MaxBytes, "the document"
		if x.left >= 0 {
			bound, what = maxBytesOfAll, "all documents together"
		}
		return tooMuch{wrongAt(x.outermost, "*%s: aliases make %s larger than %d bytes", x.outermost.Value, what, bound)}
	}
	return nil
}

func (x *expansion) sequence(n *yaml.Node) ([]any, error) {
	x.checkTag(n, "!!seq")
	list := make([]any, 0, len(n.Content))
	for _, item := range n.Content {
		value, err := x.value(item)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

func (x *expansion) checkTag(n *yaml.Node, want string) {
	if tag := n.ShortTag(); tag != want {
		x.report(wrongAt(n, "tag %s: not %s", quoted.Cut(tag, maxQuoted), want))
	}
}

func (x *expansion) scalar(n *yaml.Node) (value any) {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge": // there are no times in a document
		return n.Value
	case "!!null":
	case "!!bool", "!!int", "!!float":
		err := n.Decode(&value)
		if number, is := value.(float64); err != nil || is && (math.IsNaN(number) || math.IsInf(number, 0)) {
			x.report(wrongAt(n, "%q: not %s", quoted.Cut(n.Value, maxQuoted), tag))
		}
	default:
		x.report(wrongAt(n, "tag %s: not one of YAML's own", quoted.Cut(tag, maxQuoted)))
	}
	return value
}
