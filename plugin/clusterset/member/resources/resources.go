// Package resources is what is watched of a member's API, and what becomes of it: a list or
// an event of a resource is made part of model.Data.
//
// How they are listed and watched is package member's.
package resources

import (
	"iter"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Resource is what all sessions have in common about one kind of objects.
type Resource struct {
	Name string // as in the API's paths
	// Required resources make data whole; without the others there are answers too.
	Required bool
	Source   apiclient.Source
	Decode   func(message []byte) (*decode.Object, error)
	Table
}

// The resources, in the order in which their lists are applied: a slice shares its
// Service's name. Of imports the first two are ServiceImports and their EndpointSlices.
const (
	Services = iota
	EndpointSlices
	Namespaces
	Exports
	Count
)

// Table is a resource's part of model.Data.
type Table struct {
	// Keys are those of the items in the data.
	Keys func(*model.Data) iter.Seq[string]
	// Cost returns what the item of that key in the data counts as, 0 where there is none.
	Cost func(*model.Data, string) int
	// Same reports whether the data have the item already.
	Same  func(*model.Data, decode.Item) bool
	Set   func(*model.Change, *model.Data, decode.Item)
	Unset func(*model.Change, string)
}

// The parts of model.Data.
var (
	serviceTable   = Table{serviceKeys, serviceCost, sameService, setService, (*model.Change).DeleteService}
	sliceTable     = Table{(*model.Data).Slices, sliceCost, sameSlice, setSlice, (*model.Change).DeleteSlice}
	namespaceTable = Table{(*model.Data).Namespaces, namespaceCost, sameNamespace, setNamespace, (*model.Change).DeleteNamespace}
	exportTable    = Table{(*model.Data).Exports, exportCost, sameExport, setExport, (*model.Change).DeleteExport}
)

const slicesPath = "/apis/discovery.k8s.io/v1/endpointslices"

// OfMember returns what is watched of one member.
func OfMember(d *decode.Decoder) []*Resource {
	return []*Resource{
		Services: {
			Name: "services", Required: true, Source: apiclient.Source{Path: "/api/v1/services", Kind: "Service"},
			Decode: d.Service, Table: serviceTable,
		},
		EndpointSlices: {
			Name: "endpointslices", Required: true, Source: apiclient.Source{Path: slicesPath, Kind: "EndpointSlice"},
			Decode: d.Slice, Table: sliceTable,
		},
		Namespaces: {
			Name: "namespaces", Source: apiclient.Source{Path: apiclient.NamespacesPath, MetadataOnly: true},
			Decode: decode.Namespace, Table: namespaceTable,
		},
		Exports: {
			Name:   "serviceexports", // the source depends on the API's version of them
			Decode: decode.ServiceExport, Table: exportTable,
		},
	}
}

// OfImports returns what is watched of imports. They have no namespaces of their
// own, nor exports: their informers are the first of a member's.
func OfImports(d *decode.Decoder) []*Resource {
	return []*Resource{
		Services: {
			Name: "serviceimports", Required: true, // the source depends on the API's version of them
			Decode: d.ServiceImport, Table: serviceTable,
		},
		EndpointSlices: {
			Name: "endpointslices", Required: true,
			Source: apiclient.Source{Path: slicesPath, Kind: "EndpointSlice", Label: decode.LabelImport},
			Decode: d.ImportedSlice, Table: sliceTable,
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
