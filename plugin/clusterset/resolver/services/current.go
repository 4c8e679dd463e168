package services

import (
	"strings"
	"time"
	"weak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// source is what a service was made of: a View of a member's data, what that has of the service,
// and whether the member is alive. The View isn't held: a name that is asked for once would keep
// the data of then in memory, and each its own.
type source struct {
	member *members.Member // nil for the imports
	data   members.Data
	view   weak.Pointer[member.View]
	fresh  bool
	alive  bool

	of ofService
}

// ofService is what data have of a service.
type ofService struct {
	found              *model.Service
	since              time.Time
	exported, optedOut bool
}

func lookAt(d *model.Data, key string) ofService {
	of := ofService{found: d.Find(key), optedOut: d.OptedOut(key[strings.IndexByte(key, '.')+1:])}
	of.since, of.exported = d.Exported(key)
	return of
}

// saw notes what the service is made of; data is nil where they aren't watched.
func (b *Builder) saw(m *members.Member, data members.Data, view *member.View) {
	if data == nil {
		return
	}
	s := source{member: m, data: data, view: weak.Make(view), fresh: view.IsFresh(), of: lookAt(view.Data, b.Key)}
	s.alive = s.isAlive()
	b.sources = append(b.sources, s)
}

func (s *source) isAlive() bool { return s.member == nil || s.member.IsAlive() }

// isCurrent reports whether the service would be made the same now. Most changes are of other
// services: to look whether one is takes a hundredth of making it. Round-trip times, and how
// old stale data are, aren't looked at.
func (s *Service) isCurrent(now time.Time) bool {
	ended := !now.Before(s.until)
	if ended && s.rules.Affinity == model.AffinityNearest {
		return false
	}
	for i := range s.sources {
		of := &s.sources[i]
		if !of.isCurrent(s.Key) || ended && !of.fresh {
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
	case weak.Make(view) == s.view:
		return true
	case !view.IsFresh() || !s.fresh:
		return false
	}
	return lookAt(view.Data, key) == s.of
}

// renewed returns the service as one of another epoch, and of another second where its own is
// over.
func (s *Service) renewed(epoch uint64, now time.Time) *Service {
	next := *s
	next.epoch = epoch
	if !now.Before(s.until) {
		next.until = now.Add(serviceLife)
	}
	return &next
}
