package services

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
)

// serviceLife is how long a service is used without looking whether its members are alive.
const serviceLife = time.Second

// Kept keeps services by their key, ways of them for one hash, so that 10,000 in use are
// seldom made again. A name that no member's data have takes no place, so that a flood of such
// names leaves the others alone.
type Kept struct {
	places [1 << 13]places
}

const ways = 4

// places are those of one hash.
type places [ways]atomic.Pointer[Service]

var serviceSeed = maphash.MakeSeed()

func (s *Kept) of(key string) *places {
	return &s.places[maphash.String(serviceSeed, key)%uint64(len(s.places))]
}

// Clear drops all: they hold members that may have left.
func (s *Kept) Clear() {
	for i := range s.places {
		for j := range s.places[i] {
			s.places[i][j].Store(nil)
		}
	}
}

// find returns the service of a key, or nil.
func (p *places) find(key string) *Service {
	for i := range p {
		if s := p[i].Load(); s != nil && s.Key == key {
			return s
		}
	}
	return nil
}

// keep puts s in the place of the one before it, or an empty one, or any.
func (p *places) keep(s *Service) {
	at := rand.IntN(ways)
	for i := range p {
		old := p[i].Load()
		if old != nil && old.Key == s.Key {
			at = i
			break
		}
		if old == nil {
			at = i
		}
	}
	p[at].Store(s)
}

// Find returns the service of a key as members have it now, nil where it isn't kept.
func (s *Kept) Find(set *members.Set, key string, now time.Time) *Service {
	places, epoch := s.of(key), member.Epoch()
	kept := places.find(key)
	switch {
	case kept == nil || kept.Set != set:
		return nil
	case kept.epoch == epoch && now.Before(kept.until):
		return kept
	case kept.isCurrent(now):
		kept = kept.renewed(epoch, now)
		places.keep(kept)
		return kept
	}
	return nil
}

// Make makes the service of a key, and keeps it where a member has it.
func (s *Kept) Make(o Options, set *members.Set, key string, now time.Time) *Service {
	epoch := member.Epoch() // of before what is read
	b := Builder{Options: o, set: set, now: now}
	made := b.build(strings.Clone(key))
	made.epoch, made.until = epoch, now.Add(serviceLife)
	if len(made.Candidates) > 0 {
		s.of(key).keep(made)
	}
	return made
}
