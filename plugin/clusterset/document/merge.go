package document

import (
	"go.yaml.in/yaml/v3"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

func (x *expansion) mapping(n *yaml.Node) (*mapping, error) {
	found := entries{has: make(map[string]bool)}
	if err := x.collect(n, &found); err != nil {
		return nil, err
	}
	m := &mapping{}
	for _, e := range found.inOrder {
		aliases, outermost := x.aliases, x.outermost
		x.aliases, x.outermost = e.aliases, e.outermost
		value, err := x.value(e.value)
		x.aliases, x.outermost = aliases, outermost
		if err != nil {
			return nil, err
		}
		m.keys, m.values = append(m.keys, e.key), append(m.values, value)
	}
	return m, nil
}

// entries are a mapping's: its own, then those of its merge keys that it hasn't.
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

// collect adds n's entries, and then those of its merge key: of a key given in both, the
// first counts (YAML's merge key type, yaml.org/type/merge.html).
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

// merge adds the entries of a merge key's value: a mapping, or a list of them.
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

// key returns a mapping's key, and whether it is the merge key. The error ends the
// expansion.
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
