package discovery

import (
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Update is what a source of ClusterSets said last.
type Update struct {
	// Set is the last good ClusterSet, nil before the first.
	Set *model.ClusterSet
	// Err is what is wrong with the document now in the source, nil when it is
	// the one that gave Set.
	Err error
}

// intake makes updates of documents: it keeps the last good ClusterSet, and
// tells of a trouble once.
type intake struct {
	observe, publish func(Update)

	mu   sync.Mutex
	last Update
}

// report takes in documents by their keys, or why there are none. It gives what
// is wrong with them, when that is news.
func (i *intake) report(documents map[string]string, err error) error {
	var set *model.ClusterSet
	if err == nil {
		set, err = Parse(documents)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err != nil && i.last.Err != nil && err.Error() == i.last.Err.Error() {
		return nil
	}
	i.last.Err = err
	if err == nil {
		i.last.Set = set
	}
	i.observe(i.last)
	i.publish(i.last)
	return err
}
