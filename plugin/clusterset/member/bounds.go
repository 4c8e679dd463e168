package member

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"unsafe"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// What an API may have us take in. An object is larger here than there, an empty
// one in a list most of all: so they are counted as they come, and what isn't
// needed of them is never made (decode.go).
const (
	// maxObject is twice what etcd stores of one.
	maxObject = 3 << 20
	// maxPage is for a list, or a page of it.
	maxPage = 64 << 20
	// maxObjects is for all kinds of a session together. One counts again for each 512
	// bytes that are kept of it: a slice may have any number of endpoints.
	maxObjects = 200_000
	// maxPages ends a list whose pages never do.
	maxPages = 1000
	// maxParts is for the ports, endpoints and addresses of one object: a slice may
	// have 1,000 endpoints of 100 addresses.
	maxParts = 110_000
	// maxEnvelope is what is around an object.
	maxEnvelope = 4 << 10
	// maxSmall is for what is never large: the list of an API's versions, a probe's
	// namespace, a Status.
	maxSmall = 256 << 10
)

// errTooLarge ends a session: to ask again would bring the same.
var errTooLarge = errors.New("too large")

func tooLarge(what string, most int) error {
	return fmt.Errorf("%w: %s past %d", errTooLarge, what, most)
}

// bounded reads most bytes at the most; then it fails, where a LimitReader would
// seem to have reached the end.
type bounded struct {
	inner io.Reader
	left  int
	err   error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.err
	}
	n, err := b.inner.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// cost is how many objects the item counts as.
func (i item) cost() int {
	kept := len(i.key)
	switch {
	case i.service != nil:
		kept += serviceSize(i.service)
	case i.slice != nil:
		kept += sliceSize(i.slice)
	}
	return 1 + kept>>9
}

// serviceSize is about what is kept of a Service, in bytes.
func serviceSize(s *model.Service) int {
	return len(s.ExternalName) + len(s.ClusterIPs)*int(unsafe.Sizeof(netip.Addr{})) + portsSize(s.Ports)
}

// sliceSize is about what is kept of a slice; its addresses are kept by owner, too.
func sliceSize(s *model.Slice) int {
	size := len(s.Service) + portsSize(s.Ports) + len(s.Endpoints)*int(unsafe.Sizeof(model.Endpoint{})+unsafe.Sizeof(model.Owner{}))
	for i := range s.Endpoints {
		size += len(s.Endpoints[i].Hostname)
	}
	return size
}

func portsSize(ports []model.Port) int {
	size := len(ports) * int(unsafe.Sizeof(model.Port{}))
	for i := range ports {
		size += len(ports[i].Name) + len(ports[i].Protocol)
	}
	return size
}

func serviceCost(d *model.Data, key string) int {
	s := d.Service(key)
	if s == nil || s.Type == model.NoService {
		return 0
	}
	return item{key: key, service: s}.cost()
}

func sliceCost(d *model.Data, key string) int {
	s := d.Slice(key)
	if s == nil {
		return 0
	}
	return item{key: key, slice: s}.cost()
}

func namespaceCost(d *model.Data, key string) int {
	if !d.HasNamespace(key) {
		return 0
	}
	return item{key: key}.cost()
}

func exportCost(d *model.Data, key string) int {
	if _, exported := d.Exported(key); !exported { // a mark is a Service's, which is counted
		return 0
	}
	return item{key: key}.cost()
}
