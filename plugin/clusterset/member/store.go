package member

import (
	"fmt"
	"time"

	"k8s.io/client-go/tools/cache"
)

// store is what a Reflector writes to: it keeps nothing itself.
type store struct{ *feed }

var (
	_ cache.TransformingStore      = &store{}
	_ cache.ReflectorBookmarkStore = &store{}
)

// Transformer makes items of objects while a streamed list is still coming, so
// that there is never a whole list of objects.
func (s *store) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) {
		i, err := s.item(obj)
		if err != nil {
			return nil, err
		}
		s.session.m.heard(s.feed, false)
		return i, nil
	}
}

func (s *store) item(obj any) (item, error) {
	switch o := obj.(type) {
	case item:
		return o, nil
	case *object:
		return o.item, nil
	case cache.DeletedFinalStateUnknown:
		return s.item(o.Obj)
	}
	return item{}, fmt.Errorf("%s: not an object: %T", s.name, obj)
}

// Add takes in an event.
func (s *store) Add(obj any) error { return s.event(obj, false) }

// Update takes in an event.
func (s *store) Update(obj any) error { return s.event(obj, false) }

// Delete takes in an event.
func (s *store) Delete(obj any) error { return s.event(obj, true) }

func (s *store) event(obj any, deleted bool) error {
	i, err := s.item(obj)
	if err != nil {
		return err
	}
	began := time.Now()
	s.session.m.changed(s.feed, i, deleted)
	s.session.conns.pace.worked(s.session.conns.ctx, time.Since(began))
	return nil
}

// Replace takes in a list.
func (s *store) Replace(objs []any, _ string) error {
	list := make(map[string]item, len(objs))
	for n, obj := range objs {
		i, err := s.item(obj)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		list[i.key] = i
		objs[n] = nil // a big list is freed while it is taken in
	}
	s.place.exit()
	s.session.m.listed(s.feed, list)
	if len(list) >= bigList {
		s.session.untidy.Store(true)
	}
	return nil
}

// Bookmark proves that the watch is alive.
func (s *store) Bookmark(string) error {
	s.session.m.heard(s.feed, true)
	return nil
}

// Resync has nothing to do.
func (s *store) Resync() error { return nil }
