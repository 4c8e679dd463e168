package resolver

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
)

// serviceLife is how long a service is used without looking whether its members are alive.
const serviceLife = time.Second

// services keeps services by their key, ways of them for one hash, so that 10,000 in use are
// seldom made again. A name that no member's data have takes no place, so that a flood of such
// names leaves the others alone.
type services struct {
	places [1 << 13]places
}

const ways = 4

// places are those of one hash.
type places [ways]atomic.Pointer[service]

var serviceSeed = maphash.MakeSeed()

func (s *services) of(key string) *places {
	return &s.places[maphash.String(serviceSeed, key)%uint64(len(s.places))]
}

// clear drops all: they hold members that may have left.
func (s *services) clear() {
	for i := range s.places {
		for j := range s.places[i] {
			s.places[i][j].Store(nil)
		}
	}
}

// find returns the service of a key, or nil.
func (p *places) find(key string) *service {
	for i := range p {
		if s := p[i].Load(); s != nil && s.key == key {
			return s
		}
	}
	return nil
}

// keep puts s in the place of the one before it, or an empty one, or any.
func (p *places) keep(s *service) {
	at := rand.IntN(ways)
	for i := range p {
		old := p[i].Load()
		if old != nil && old.key == s.key {
			at = i
			break
		}
		if old == nil {
			at = i
		}
	}
	p[at].Store(s)
}

// service returns the service of the question's key.
func (r *Resolver) service(q *Question, key string) *service {
	places, epoch := r.services.of(key), member.Epoch()
	if s := places.find(key); s != nil && s.set == q.Members {
		if s.epoch == epoch && q.Received.Before(s.until) {
			return s
		}
		if s.isCurrent(q.Received) {
			s = s.renewed(epoch, q.Received)
			places.keep(s)
			return s
		}
	}
	b := serviceBuilder{Resolver: r, set: q.Members, now: q.Received}
	s := b.build(strings.Clone(key))
	s.epoch, s.until = epoch, q.Received.Add(serviceLife)
	if len(s.candidates) > 0 {
		places.keep(s)
	}
	return s
}
