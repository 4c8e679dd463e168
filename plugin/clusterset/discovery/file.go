package discovery

import (
	"context"
	"path/filepath"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// FromFile returns the feed of a document in a file, read again when it changes.
// A ConfigMap mounted as a volume, whose "..data" link is swapped, is such a
// file. observe is called with every update once, whoever subscribes.
func FromFile(path string, observe func(Update)) (*Feed[Update], error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return acquire(origin{kind: "file", name: path}, func(ctx context.Context, f *Feed[Update]) {
		last := newLastGood(f, observe)
		text, read := "", false
		watchFiles(ctx, []string{path}, document.MaxBytes, func(contents [][]byte, err error) {
			if err != nil {
				read = false
				_ = last.failed(err)
				return
			}
			if next := string(contents[0]); next != text || !read {
				text, read = next, true
				_ = last.read(version{}, map[string]string{filepath.Base(path): text})
			}
		})
	}), nil
}
