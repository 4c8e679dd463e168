package discovery

import (
	"maps"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Update is how a source of ClusterSets is now.
type Update struct {
	// Set is the last good ClusterSet, nil before the first.
	Set *model.ClusterSet
	// Err is what is wrong with the documents now in the source, nil where they are
	// those of Set.
	Err error
}

// lastGood makes updates of documents: it keeps the last good ClusterSet, and reports an
// error once. Its source uses it one call at a time.
type lastGood struct {
	observe, publish func(Update)
	show             func(status.Document) // also where there is no news

	last   Update
	status status.Document
	// documents are those that were parsed last. A source has them again after each
	// error of its own, and whenever something beside them changes.
	documents map[string]string
	parsed    document.Parsed // without the documents as written
	parseErr  error
}

func newLastGood(f *Feed[Update], observe func(Update)) *lastGood {
	return &lastGood{
		observe: observe, publish: f.publish, status: f.Status(),
		show: func(s status.Document) { f.status.Store(&s) },
	}
}

// version is which state of an object was read.
type version struct {
	resourceVersion string
	generation      int64
}

// read takes the documents that a source has now, by their keys, and publishes what
// follows. It returns what is wrong with them, unless that was so before.
func (l *lastGood) read(of version, documents map[string]string) error {
	l.parse(documents)
	l.status.Read, l.status.ResourceVersion, l.status.Generation = true, of.resourceVersion, of.generation
	setParsed(&l.status, &l.parsed)
	if set := l.parsed.Set; set != nil && set != l.last.Set {
		l.status.InForceSince, l.status.Members, l.status.Hash = time.Now(), len(set.Clusters), status.Hash(documents)
	}
	return l.report(l.parsed.Set, l.parseErr)
}

// failed publishes that there are no documents, and why. It returns that, unless it was so
// before.
func (l *lastGood) failed(err error) error {
	l.status.Read, l.status.Findings, l.status.MoreFindings = false, nil, 0
	setError(&l.status, err)
	return l.report(nil, err)
}

// report publishes news.
func (l *lastGood) report(set *model.ClusterSet, err error) error {
	l.show(l.status)
	if err != nil && l.last.Err != nil && err.Error() == l.last.Err.Error() {
		return nil
	}
	l.last.Err = err
	if err == nil {
		l.last.Set = set
	}
	l.observe(l.last)
	l.publish(l.last)
	return err
}

// parse parses what is new.
func (l *lastGood) parse(documents map[string]string) {
	if l.documents != nil && maps.Equal(l.documents, documents) {
		return
	}
	parsed := document.Parse(documents)
	l.documents, l.parseErr = documents, parsed.Err()
	l.parsed = document.Parsed{Set: parsed.Set, Findings: parsed.Findings, More: parsed.More}
}
