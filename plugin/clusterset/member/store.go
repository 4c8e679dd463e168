package member

import (
	"fmt"
	"time"

	"k8s.io/client-go/tools/cache"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// store is what a Reflector writes to. It keeps nothing itself.
type store struct{ *listWatch }

var (
	_ cache.TransformingStore      = &store{}
	_ cache.ReflectorBookmarkStore = &store{}
)

// Transformer makes items of objects while a streamed list is still coming, so that there
// is never a whole list of objects.
func (s *store) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) {
		i, err := s.item(obj)
		if err != nil {
			return nil, err
		}
		s.noteActivity(false)
		return i, nil
	}
}

func (s *store) item(obj any) (decode.Item, error) {
	switch o := obj.(type) {
	case decode.Item:
		return o, nil
	case *decode.Object:
		return o.Item, nil
	case cache.DeletedFinalStateUnknown:
		return s.item(o.Obj)
	}
	return decode.Item{}, fmt.Errorf("%s: not an object: %T", s.Name, obj)
}

// Add applies an event.
func (s *store) Add(obj any) error { return s.event(obj, false) }

// Update applies an event.
func (s *store) Update(obj any) error { return s.event(obj, false) }

// Delete applies an event.
func (s *store) Delete(obj any) error { return s.event(obj, true) }

func (s *store) event(obj any, deleted bool) error {
	i, err := s.item(obj)
	if err != nil {
		return err
	}
	began := time.Now()
	s.session.m.applyEvent(s.informer, i, deleted)
	s.session.conns.CountWork(time.Since(began))
	return nil
}

// Replace applies a list.
func (s *store) Replace(objs []any, _ string) error {
	list := make(map[string]decode.Item, len(objs))
	for n, obj := range objs {
		i, err := s.item(obj)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		list[i.Key] = i
		objs[n] = nil // a big list is freed while it is applied
	}
	s.slot.Release()
	s.session.garbage.NoteList(s.session.cost[s.number].Load()) // those that came, kept or not
	s.session.m.applyList(s.informer, list)
	if s.whenListed != nil {
		s.whenListed()
	}
	return nil
}

// Bookmark proves the watch alive.
func (s *store) Bookmark(string) error {
	s.noteActivity(true)
	return nil
}

// Resync has nothing to do.
func (s *store) Resync() error { return nil }
