package member

import (
	"iter"
	"slices"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// The kinds, in the order in which their lists are taken up: a slice shares its
// Service's name.
const (
	services = iota
	endpointSlices
	namespaces
	exports
	kindCount
)

// table is a kind's part of model.Data.
type table struct {
	keys func(*model.Data) iter.Seq[string]
	// same tells whether the data have the item already.
	same  func(*model.Data, item) bool
	set   func(*model.Change, *model.Data, item)
	unset func(*model.Change, string)
}

// newKinds gives what is watched in one member; t shares its texts.
func newKinds(t *texts) [kindCount]*kind {
	return [kindCount]*kind{
		services: {
			name: "services", required: true, example: &v1.Service{}, convert: t.fromService,
			table: table{serviceKeys, sameService, setService, (*model.Change).DeleteService},
		},
		endpointSlices: {
			name: "endpointslices", required: true, example: &discovery.EndpointSlice{}, convert: t.fromSlice,
			table: table{(*model.Data).Slices, sameSlice, setSlice, (*model.Change).DeleteSlice},
		},
		namespaces: {
			name: "namespaces", example: &metav1.PartialObjectMetadata{}, convert: fromNamespace,
			table: table{(*model.Data).Namespaces, sameNamespace, setNamespace, (*model.Change).DeleteNamespace},
		},
		exports: {
			name: "serviceexports", example: &metav1.PartialObjectMetadata{}, convert: fromExport,
			table: table{(*model.Data).Exports, sameExport, setExport, (*model.Change).DeleteExport},
		},
	}
}

func serviceKeys(d *model.Data) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range d.Services() {
			if !yield(s.Key) {
				return
			}
		}
	}
}

func sameService(d *model.Data, i item) bool {
	a, b := d.Service(i.key), i.service
	return a != nil && a.Type == b.Type && a.ExternalName == b.ExternalName && a.Marked == b.Marked &&
		slices.Equal(a.ClusterIPs, b.ClusterIPs) && slices.Equal(a.Ports, b.Ports)
}

func setService(c *model.Change, _ *model.Data, i item) { c.SetService(*i.service) }

func sameSlice(d *model.Data, i item) bool {
	a, b := d.Slice(i.key), i.slice
	if b == nil {
		return a == nil
	}
	return a != nil && a.Service == b.Service && slices.Equal(a.Ports, b.Ports) && slices.Equal(a.Endpoints, b.Endpoints)
}

func setSlice(c *model.Change, d *model.Data, i item) {
	if i.slice == nil { // it belongs to no Service, any more
		c.DeleteSlice(i.key)
		return
	}
	if s := d.Service(i.slice.Service); s != nil {
		i.slice.Service = s.Key // the same text, kept once
	}
	c.SetSlice(i.slice)
}

func sameNamespace(d *model.Data, i item) bool { return d.HasNamespace(i.key) }

func setNamespace(c *model.Change, _ *model.Data, i item) { c.SetNamespace(i.key) }

func sameExport(d *model.Data, i item) bool {
	since, exported := d.Exported(i.key)
	return exported && !since.IsZero() && since.Equal(i.made)
}

func setExport(c *model.Change, _ *model.Data, i item) { c.SetExport(i.key, i.made) }
