package document

import (
	"errors"
	"fmt"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedyaml"
)

const (
	// MaxBytes bounds a document, also after its aliases are expanded.
	MaxBytes = 4 << 20
	// maxBytesOfAll bounds all documents of a ClusterSet together.
	maxBytesOfAll = 2 * MaxBytes
	// maxItems bounds the values of all documents together: the YAML parser needs a third of
	// a kilobyte for each.
	maxItems = 350_000
)

// budget is what the documents of one ClusterSet may still have.
type budget struct{ bytes, items int }

func newBudget() *budget { return &budget{bytes: maxBytesOfAll, items: maxItems} }

// tooMuch is the error of a document beyond its bounds, at which reading ends.
type tooMuch struct{ error }

func isTooMuch(err error) bool {
	_, is := errors.AsType[tooMuch](err)
	return is
}

// spend subtracts the text's length and items.
func (b *budget) spend(text string) error {
	if len(text) > MaxBytes {
		return tooMuch{fmt.Errorf("%d bytes: a document has %d at most", len(text), MaxBytes)}
	}
	if b.bytes -= len(text); b.bytes < 0 {
		return tooMuch{fmt.Errorf("all documents together have more than %d bytes", maxBytesOfAll)}
	}
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
