package discovery

import (
	"maps"
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
	// documents were parsed last, as set or parseErr. A source tells them again after
	// each trouble with it, and whenever something beside them changes.
	documents map[string]string
	set       *model.ClusterSet
	parseErr  error
}

// report takes in documents by their keys, or why there are none. It gives what
// is wrong with them, when that is news.
func (i *intake) report(documents map[string]string, err error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var set *model.ClusterSet
	if err == nil {
		set, err = i.parse(documents)
	}
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

// parse is Parse, of what is new; i.mu is held.
func (i *intake) parse(documents map[string]string) (*model.ClusterSet, error) {
	if i.documents == nil || !maps.Equal(i.documents, documents) {
		i.set, i.parseErr = Parse(documents)
		i.documents = documents
	}
	return i.set, i.parseErr
}
