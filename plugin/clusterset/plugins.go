package clusterset

import (
	"slices"
	"sync"
)

// plugins are those of stanzas, in the order in which they were added.
type plugins struct {
	mu  sync.Mutex
	all []*Clusterset
}

func (l *plugins) add(p *Clusterset) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p)
}

func (l *plugins) remove(p *Clusterset) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = slices.DeleteFunc(l.all, func(other *Clusterset) bool { return other == p })
}

// list returns them as they are now.
func (l *plugins) list() []*Clusterset {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}
