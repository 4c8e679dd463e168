package member

import (
	"iter"
	"slices"

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

const namespacesPath = "/api/v1/namespaces"

// table is a kind's part of model.Data.
type table struct {
	keys func(*model.Data) iter.Seq[string]
	// cost is what the item of that key in the data counts as, 0 where there is none.
	cost func(*model.Data, string) int
	// same tells whether the data have the item already.
	same  func(*model.Data, item) bool
	set   func(*model.Change, *model.Data, item)
	unset func(*model.Change, string)
}

// newKinds gives what is watched in one member; t shares its texts.
func newKinds(t *texts) [kindCount]*kind {
	return [kindCount]*kind{
		services: {
			name: "services", required: true, source: source{path: "/api/v1/services", kind: "Service"},
			decode: t.service, table: table{serviceKeys, serviceCost, sameService, setService, (*model.Change).DeleteService},
		},
		endpointSlices: {
			name: "endpointslices", required: true, source: source{path: "/apis/discovery.k8s.io/v1/endpointslices", kind: "EndpointSlice"},
			decode: t.slice, table: table{(*model.Data).Slices, sliceCost, sameSlice, setSlice, (*model.Change).DeleteSlice},
		},
		namespaces: {
			name: "namespaces", source: source{path: namespacesPath, partial: true},
			decode: metadata(fromNamespace), table: table{(*model.Data).Namespaces, namespaceCost, sameNamespace, setNamespace, (*model.Change).DeleteNamespace},
		},
		exports: {
			name:   "serviceexports", // their version is the API's (exports.go)
			decode: metadata(fromExport), table: table{(*model.Data).Exports, exportCost, sameExport, setExport, (*model.Change).DeleteExport},
		},
	}
}

// service makes an object of a Service.
func (t *texts) service(message []byte) (*object, error) {
	s, err := decodeService(message)
	if err != nil {
		return nil, err
	}
	return newObject(&s.ObjectMeta, t.fromService(s)), nil
}

// slice makes an object of an EndpointSlice.
func (t *texts) slice(message []byte) (*object, error) {
	s, err := decodeSlice(message)
	if err != nil {
		return nil, err
	}
	return newObject(&s.ObjectMeta, t.fromSlice(s)), nil
}

// metadata makes objects of which only the metadata count.
func metadata(from func(*metav1.PartialObjectMetadata) item) func(message []byte) (*object, error) {
	return func(message []byte) (*object, error) {
		m, err := decodeMeta(message)
		if err != nil {
			return nil, err
		}
		return newObject(&m.ObjectMeta, from(m)), nil
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
	return a != nil && a.Type == b.Type && a.ExternalName == b.ExternalName &&
		a.Marked == b.Marked && a.MarkedByCilium == b.MarkedByCilium &&
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

func sameNamespace(d *model.Data, i item) bool {
	return d.HasNamespace(i.key) && d.OptedOut(i.key) == i.optedOut
}

func setNamespace(c *model.Change, _ *model.Data, i item) {
	if i.optedOut {
		c.OptOutNamespace(i.key)
		return
	}
	c.SetNamespace(i.key)
}

func sameExport(d *model.Data, i item) bool {
	since, exported := d.Exported(i.key)
	return exported && !since.IsZero() && since.Equal(i.made)
}

func setExport(c *model.Change, _ *model.Data, i item) { c.SetExport(i.key, i.made) }
