package resolver

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// source is what a service was made of: a View of a member's data, what that has of the service,
// and whether the member is alive.
type source struct {
	member *members.Member // nil for the imports
	data   members.Data
	view   *member.View
	alive  bool

	found    *model.Service
	since    time.Time
	exported bool
}

// saw notes what the service is made of; data is nil where they aren't watched.
func (b *serviceBuilder) saw(m *members.Member, data members.Data, view *member.View) {
	if data == nil {
		return
	}
	of := source{member: m, data: data, view: view, found: view.Data.Find(b.key)}
	of.since, of.exported = view.Data.Exported(b.key)
	of.alive = of.isAlive()
	b.sources = append(b.sources, of)
}

func (s *source) isAlive() bool { return s.member == nil || s.member.IsAlive() }

// isCurrent reports whether the service would be made the same now. Most changes are of other
// services: to look whether one is takes a hundredth of making it. Round-trip times, and how
// old stale data are, aren't looked at.
func (s *service) isCurrent(now time.Time) bool {
	ended := !now.Before(s.until)
	if ended && s.rules.Affinity == model.AffinityNearest {
		return false
	}
	for i := range s.sources {
		of := &s.sources[i]
		if !of.isCurrent(s.key) || ended && !of.view.IsFresh() {
			return false
		}
	}
	return true
}

func (s *source) isCurrent(key string) bool {
	view := s.data.View()
	switch {
	case s.alive != s.isAlive():
		return false
	case view == s.view:
		return true
	case !view.IsFresh() || !s.view.IsFresh():
		return false
	}
	since, exported := view.Data.Exported(key)
	return view.Data.Find(key) == s.found && exported == s.exported && since.Equal(s.since)
}

// renewed returns the service as one of another epoch, and of another second where its own is
// over.
func (s *service) renewed(epoch uint64, now time.Time) *service {
	next := *s
	next.epoch = epoch
	if !now.Before(s.until) {
		next.until = now.Add(serviceLife)
	}
	return &next
}
