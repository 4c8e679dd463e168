package model

import (
	"net/netip"
	"slices"
	"time"
)

// The most slices of a Service, and owners of an address; further ones are dropped. With
// 100 endpoints a slice, as Kubernetes makes them, that is most of a large cluster's pods,
// and hardly any node's address is in as many Services. Each change copies these lists: an
// API could make all changes take ever longer with one Service, or one address.
const (
	maxSlices = 1000
	maxOwners = 250
)

// Change is a set of changes to Data. It is for one goroutine; the Data that it began with
// stay as they are.
type Change struct{ next Data }

// Change begins changes.
func (d *Data) Change() *Change { return &Change{next: *d} }

// Done returns the data with the changes, made at now.
func (c *Change) Done(now time.Time) *Data {
	next := c.next
	next.Changed = now
	return &next
}

// SetService adds or replaces a Service. Its Slices are those that were set, not its own.
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

// DeleteService deletes a Service; its Slices stay until they are deleted.
func (c *Change) DeleteService(key string) {
	old := c.next.Service(key)
	if old == nil || old.Type == NoService {
		return
	}
	c.disown(old)
	c.setSlices(&Service{Key: key}, old.Slices)
}

// disown removes s from the owners of its cluster IPs.
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

// SetSlice adds or replaces a Slice, which must not change after that.
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

// DeleteSlice deletes a Slice.
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

// setSlices sets a copy of s with those Slices. A Service without any that doesn't exist
// itself isn't kept.
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

// OptOutNamespace adds a namespace that opted out of Cilium's marks.
func (c *Change) OptOutNamespace(name string) {
	c.next.namespaces = c.next.namespaces.set(name, true)
}

// DeleteNamespace deletes a namespace; what is in it is deleted by itself.
func (c *Change) DeleteNamespace(name string) { c.next.namespaces = c.next.namespaces.remove(name) }

// SetExport adds a ServiceExport of the Service of that Key, created at since.
func (c *Change) SetExport(key string, since time.Time) {
	c.next.exports = c.next.exports.set(key, since)
}

// DeleteExport deletes a ServiceExport.
func (c *Change) DeleteExport(key string) { c.next.exports = c.next.exports.remove(key) }
