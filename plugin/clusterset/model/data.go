package model

import (
	"hash/maphash"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Data is what one member's API says, as far as answers need it. It is
// immutable: each change gives a new one, at a cost that doesn't depend on how
// much there is. The zero value isn't usable; NewData is the empty one.
type Data struct {
	services   trie[string, *Service]  // by Key
	slices     trie[string, *Slice]    // by Key
	namespaces trie[string, bool]      // whether it has opted out
	exports    trie[string, time.Time] // when a ServiceExport was made, by its Service's Key
	owners     trie[netip.Addr, []Owner]
	// Changed is when this was made: the zone's serial.
	Changed time.Time
}

// Owner is what an address belongs to: a Service by its cluster IP, or one of a
// Slice's endpoints.
type Owner struct {
	// Service is the Key of the Service.
	Service string
	// Slice is nil for a cluster IP.
	Slice    *Slice
	Endpoint int
}

var (
	seed       = maphash.MakeSeed()
	hashString = func(s string) uint64 { return maphash.String(seed, s) }
	hashAddr   = func(a netip.Addr) uint64 { return maphash.Comparable(seed, a) }
)

// NewData is the data of an empty cluster.
func NewData() *Data {
	return &Data{
		services:   trie[string, *Service]{hash: hashString},
		slices:     trie[string, *Slice]{hash: hashString},
		namespaces: trie[string, bool]{hash: hashString},
		exports:    trie[string, time.Time]{hash: hashString},
		owners:     trie[netip.Addr, []Owner]{hash: hashAddr},
	}
}

// Service gives the Service of that Key, nil when there is none. One of type
// NoService has only endpoints.
func (d *Data) Service(key string) *Service {
	s, _ := d.services.get(key)
	return s
}

// Find returns the Service of that Key, nil where it or its namespace doesn't exist.
func (d *Data) Find(key string) *Service {
	s, _ := d.services.get(key)
	if s == nil || s.Type == NoService {
		return nil
	}
	if _, exists := d.namespaces.get(key[strings.IndexByte(key, '.')+1:]); !exists {
		return nil
	}
	return s
}

// Slice gives the Slice of that Key, nil when there is none.
func (d *Data) Slice(key string) *Slice {
	s, _ := d.slices.get(key)
	return s
}

// HasNamespace tells whether there is a namespace of that name.
func (d *Data) HasNamespace(name string) bool {
	_, ok := d.namespaces.get(name)
	return ok
}

// OptedOut tells whether the namespace says that Cilium's sign doesn't count in it.
// One that isn't known doesn't say so.
func (d *Data) OptedOut(namespace string) bool {
	optedOut, _ := d.namespaces.get(namespace)
	return optedOut
}

// Exported tells whether the Service of that Key is exported: by a ServiceExport
// (KEP-1645), since when, or by another system's mark.
func (d *Data) Exported(key string) (since time.Time, ok bool) {
	if since, ok = d.exports.get(key); ok {
		return since, true
	}
	s := d.Service(key)
	if s == nil || !s.Marked {
		return time.Time{}, false
	}
	return time.Time{}, !s.MarkedByCilium || !d.OptedOut(key[strings.IndexByte(key, '.')+1:])
}

// Owners are what addr belongs to, Services first.
func (d *Data) Owners(addr netip.Addr) []Owner {
	owners, _ := d.owners.get(addr)
	return owners
}

// Services goes through the Services that exist, in no order.
func (d *Data) Services() iter.Seq[*Service] {
	return func(yield func(*Service) bool) {
		for _, s := range d.services.all() {
			if s.Type != NoService && !yield(s) {
				return
			}
		}
	}
}

// Slices goes through the Keys of the Slices, in no order.
func (d *Data) Slices() iter.Seq[string] { return keys(&d.slices) }

// Namespaces goes through the names of the namespaces, in no order.
func (d *Data) Namespaces() iter.Seq[string] { return keys(&d.namespaces) }

// Exports goes through the Keys of Services that have a ServiceExport, in no order.
func (d *Data) Exports() iter.Seq[string] { return keys(&d.exports) }

func keys[V any](t *trie[string, V]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range t.all() {
			if !yield(key) {
				return
			}
		}
	}
}

// Count gives how many Services and Slices there are.
func (d *Data) Count() (services, endpointSlices int) { return d.services.size, d.slices.size }

// The most slices that a Service has, and owners that an address has; what comes
// after them isn't taken. With 100 endpoints a slice, as Kubernetes makes them, those
// are most of a large cluster's pods, and a node's address is hardly that of as many
// Services. Each change copies these lists: of an API that says
// of everything that it is the same one's, all changes would take ever longer.
const (
	maxSlices = 1000
	maxOwners = 250
)

// Change is a set of changes to Data under way. It is for one goroutine; what it
// began with stays as it was.
type Change struct{ next Data }

// Change begins changes.
func (d *Data) Change() *Change { return &Change{next: *d} }

// Done gives the data with the changes, made at now.
func (c *Change) Done(now time.Time) *Data {
	next := c.next
	next.Changed = now
	return &next
}

// SetService adds a Service, or puts it in another's place. Its Slices are those
// known already, whatever it has.
func (c *Change) SetService(s Service) {
	old := c.next.Service(s.Key)
	if old != nil {
		s.Slices = old.Slices
		c.disown(old)
	}
	c.next.services = c.next.services.set(s.Key, &s)
	for _, addr := range s.ClusterIPs {
		owners := c.next.Owners(addr)
		owners = owners[:min(len(owners), maxOwners-1)]
		c.next.owners = c.next.owners.set(addr, slices.Insert(slices.Clone(owners), 0, Owner{Service: s.Key}))
	}
}

// DeleteService removes a Service; its Slices stay until they are deleted.
func (c *Change) DeleteService(key string) {
	old := c.next.Service(key)
	if old == nil || old.Type == NoService {
		return
	}
	c.disown(old)
	c.setSlices(&Service{Key: key}, old.Slices)
}

// disown takes s's cluster IPs from it.
func (c *Change) disown(s *Service) {
	for _, addr := range s.ClusterIPs {
		c.removeOwners(addr, func(o Owner) bool { return o.Slice == nil && o.Service == s.Key })
	}
}

func (c *Change) removeOwners(addr netip.Addr, which func(Owner) bool) {
	owners := slices.DeleteFunc(slices.Clone(c.next.Owners(addr)), which)
	if len(owners) == 0 {
		c.next.owners = c.next.owners.remove(addr)
		return
	}
	c.next.owners = c.next.owners.set(addr, owners)
}

// SetSlice adds a Slice, or puts it in another's place; s isn't changed any more.
func (c *Change) SetSlice(s *Slice) {
	c.DeleteSlice(s.Key)
	service := c.next.Service(s.Service)
	if service == nil {
		service = &Service{Key: s.Service}
	}
	if len(service.Slices) >= maxSlices {
		return
	}
	c.next.slices = c.next.slices.set(s.Key, s)
	c.setSlices(service, append(slices.Clip(service.Slices), s))
	for i := range s.Endpoints {
		addr := s.Endpoints[i].Addr
		owners := c.next.Owners(addr)
		if len(owners) < maxOwners {
			c.next.owners = c.next.owners.set(addr, append(slices.Clip(owners), Owner{Service: s.Service, Slice: s, Endpoint: i}))
		}
	}
}

// DeleteSlice removes a Slice.
func (c *Change) DeleteSlice(key string) {
	old, known := c.next.slices.get(key)
	if !known {
		return
	}
	c.next.slices = c.next.slices.remove(key)
	service := c.next.Service(old.Service)
	c.setSlices(service, slices.DeleteFunc(slices.Clone(service.Slices), func(s *Slice) bool { return s == old }))
	for i := range old.Endpoints {
		c.removeOwners(old.Endpoints[i].Addr, func(o Owner) bool { return o.Slice == old })
	}
}

// setSlices gives a copy of s those Slices; nothing is kept of a Service that has
// none and doesn't exist itself.
func (c *Change) setSlices(s *Service, endpoints []*Slice) {
	if s.Type == NoService && len(endpoints) == 0 {
		c.next.services = c.next.services.remove(s.Key)
		return
	}
	next := *s
	next.Slices = endpoints
	c.next.services = c.next.services.set(s.Key, &next)
}

// SetNamespace adds a namespace.
func (c *Change) SetNamespace(name string) {
	c.next.namespaces = c.next.namespaces.set(name, false)
}

// OptOutNamespace adds a namespace in which Cilium's sign doesn't count.
func (c *Change) OptOutNamespace(name string) {
	c.next.namespaces = c.next.namespaces.set(name, true)
}

// DeleteNamespace removes a namespace; what is in it is deleted by itself.
func (c *Change) DeleteNamespace(name string) { c.next.namespaces = c.next.namespaces.remove(name) }

// SetExport adds a ServiceExport of the Service of that Key, made at since.
func (c *Change) SetExport(key string, since time.Time) {
	c.next.exports = c.next.exports.set(key, since)
}

// DeleteExport removes a ServiceExport.
func (c *Change) DeleteExport(key string) { c.next.exports = c.next.exports.remove(key) }
