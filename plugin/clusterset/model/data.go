package model

import (
	"hash/maphash"
	"iter"
	"net/netip"
	"strings"
	"time"
)

// Data are one member's Services, slices, namespaces and exports. They are immutable: a
// Change makes new ones, at a cost that doesn't depend on how much there is. The zero value
// isn't usable, NewData is.
type Data struct {
	services   trie[string, *Service]  // by Key
	slices     trie[string, *Slice]    // by Key
	namespaces trie[string, bool]      // whether they opted out
	exports    trie[string, time.Time] // when they were created, by their Service's Key
	owners     trie[netip.Addr, []Owner]
	// Changed is when they were made: the zone's serial.
	Changed time.Time
}

// Owner is what has an address: a Service as its cluster IP, or an endpoint of a Slice.
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

// NewData returns the data of an empty cluster.
func NewData() *Data {
	return &Data{
		services:   trie[string, *Service]{hash: hashString},
		slices:     trie[string, *Slice]{hash: hashString},
		namespaces: trie[string, bool]{hash: hashString},
		exports:    trie[string, time.Time]{hash: hashString},
		owners:     trie[netip.Addr, []Owner]{hash: hashAddr},
	}
}

// Service returns the Service of that Key, nil where there is none. One of type NoService
// has endpoints only.
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

// Slice returns the Slice of that Key, nil where there is none.
func (d *Data) Slice(key string) *Slice {
	s, _ := d.slices.get(key)
	return s
}

// HasNamespace reports whether there is a namespace of that name.
func (d *Data) HasNamespace(name string) bool {
	_, ok := d.namespaces.get(name)
	return ok
}

// OptedOut reports whether the namespace opted out of Cilium's marks. One that isn't known
// didn't.
func (d *Data) OptedOut(namespace string) bool {
	optedOut, _ := d.namespaces.get(namespace)
	return optedOut
}

// Exported reports whether the Service of that Key is exported: by a ServiceExport
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

// HasExport reports whether there is a ServiceExport of the Service of that Key.
func (d *Data) HasExport(key string) bool {
	_, ok := d.exports.get(key)
	return ok
}

// Owners returns what has the address, Services first.
func (d *Data) Owners(addr netip.Addr) []Owner {
	owners, _ := d.owners.get(addr)
	return owners
}

// Services iterates over the Services that exist, in no order.
func (d *Data) Services() iter.Seq[*Service] {
	return func(yield func(*Service) bool) {
		for _, s := range d.services.all() {
			if s.Type != NoService && !yield(s) {
				return
			}
		}
	}
}

// Slices iterates over the Keys of the Slices, in no order.
func (d *Data) Slices() iter.Seq[string] { return keys(&d.slices) }

// Namespaces iterates over the names of the namespaces, in no order.
func (d *Data) Namespaces() iter.Seq[string] { return keys(&d.namespaces) }

// Exports iterates over the Keys of Services that have a ServiceExport, in no order.
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

// Count returns how many Services and Slices there are.
func (d *Data) Count() (services, endpointSlices int) { return d.services.size, d.slices.size }
