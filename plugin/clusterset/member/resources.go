package member

import (
	"iter"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// resource is what all sessions have in common about one kind of objects.
type resource struct {
	name string // as in the API's paths
	// required resources make data whole; without the others there are answers too.
	required bool
	source   apiclient.Source
	decode   func(message []byte) (*decode.Object, error)
	table
}

// The resources, in the order in which their lists are applied: a slice shares its
// Service's name. Of imports the first two are ServiceImports and their EndpointSlices.
const (
	services = iota
	endpointSlices
	namespaces
	exports
	resourceCount
)

// table is a resource's part of model.Data.
type table struct {
	keys func(*model.Data) iter.Seq[string]
	// cost returns what the item of that key in the data counts as, 0 where there is none.
	cost func(*model.Data, string) int
	// same reports whether the data have the item already.
	same  func(*model.Data, decode.Item) bool
	set   func(*model.Change, *model.Data, decode.Item)
	unset func(*model.Change, string)
}

// The parts of model.Data.
var (
	serviceTable   = table{serviceKeys, serviceCost, sameService, setService, (*model.Change).DeleteService}
	sliceTable     = table{(*model.Data).Slices, sliceCost, sameSlice, setSlice, (*model.Change).DeleteSlice}
	namespaceTable = table{(*model.Data).Namespaces, namespaceCost, sameNamespace, setNamespace, (*model.Change).DeleteNamespace}
	exportTable    = table{(*model.Data).Exports, exportCost, sameExport, setExport, (*model.Change).DeleteExport}
)

const slicesPath = "/apis/discovery.k8s.io/v1/endpointslices"

// newResources returns what is watched of one member.
func newResources(d *decode.Decoder) []*resource {
	return []*resource{
		services: {
			name: "services", required: true, source: apiclient.Source{Path: "/api/v1/services", Kind: "Service"},
			decode: d.Service, table: serviceTable,
		},
		endpointSlices: {
			name: "endpointslices", required: true, source: apiclient.Source{Path: slicesPath, Kind: "EndpointSlice"},
			decode: d.Slice, table: sliceTable,
		},
		namespaces: {
			name: "namespaces", source: apiclient.Source{Path: apiclient.NamespacesPath, MetadataOnly: true},
			decode: decode.Namespace, table: namespaceTable,
		},
		exports: {
			name:   "serviceexports", // the source depends on the API's version of them
			decode: decode.ServiceExport, table: exportTable,
		},
	}
}

// newImportResources returns what is watched of imports. They have no namespaces of their
// own, nor exports: their informers are the first of a member's.
func newImportResources(d *decode.Decoder) []*resource {
	return []*resource{
		services: {
			name: "serviceimports", required: true, // the source depends on the API's version of them
			decode: d.ServiceImport, table: serviceTable,
		},
		endpointSlices: {
			name: "endpointslices", required: true,
			source: apiclient.Source{Path: slicesPath, Kind: "EndpointSlice", Label: decode.LabelImport},
			decode: d.ImportedSlice, table: sliceTable,
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

func serviceCost(d *model.Data, key string) int {
	s := d.Service(key)
	if s == nil || s.Type == model.NoService {
		return 0
	}
	return decode.Item{Key: key, Service: s}.Cost()
}

func sameService(d *model.Data, i decode.Item) bool {
	s := d.Service(i.Key)
	return s != nil && s.Same(i.Service)
}

func setService(c *model.Change, _ *model.Data, i decode.Item) { c.SetService(*i.Service) }

func sliceCost(d *model.Data, key string) int {
	s := d.Slice(key)
	if s == nil {
		return 0
	}
	return decode.Item{Key: key, Slice: s}.Cost()
}

func sameSlice(d *model.Data, i decode.Item) bool {
	s := d.Slice(i.Key)
	if s == nil || i.Slice == nil {
		return s == i.Slice
	}
	return s.Same(i.Slice)
}

func setSlice(c *model.Change, d *model.Data, i decode.Item) {
	if i.Slice == nil { // it has no Service, any more
		c.DeleteSlice(i.Key)
		return
	}
	if s := d.Service(i.Slice.Service); s != nil {
		i.Slice.Service = s.Key // one string for both
	}
	c.SetSlice(i.Slice)
}

func namespaceCost(d *model.Data, key string) int {
	if !d.HasNamespace(key) {
		return 0
	}
	return decode.Item{Key: key}.Cost()
}

func sameNamespace(d *model.Data, i decode.Item) bool {
	return d.HasNamespace(i.Key) && d.OptedOut(i.Key) == i.OptedOut
}

func setNamespace(c *model.Change, _ *model.Data, i decode.Item) {
	if i.OptedOut {
		c.OptOutNamespace(i.Key)
		return
	}
	c.SetNamespace(i.Key)
}

func exportCost(d *model.Data, key string) int {
	if !d.HasExport(key) { // a mark is a Service's, which is counted
		return 0
	}
	return decode.Item{Key: key}.Cost()
}

func sameExport(d *model.Data, i decode.Item) bool {
	since, exported := d.Exported(i.Key)
	return exported && !since.IsZero() && since.Equal(i.Created)
}

func setExport(c *model.Change, _ *model.Data, i decode.Item) { c.SetExport(i.Key, i.Created) }
