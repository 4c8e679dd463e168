package decode

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"unsafe"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Bounds of what an API may send. An object is larger in memory than on the wire, an
// empty one in a list most of all: so objects are counted as they come, and what isn't
// needed of them is never allocated.
const (
	// maxObject is twice what etcd stores of one.
	maxObject = 3 << 20
	// maxPage is for a list, or a page of one.
	maxPage = 64 << 20
	// maxParts is for the ports, endpoints and addresses of one object: a slice may have
	// 1,000 endpoints of 100 addresses.
	maxParts = 110_000
	// maxEnvelope is for what is around an object.
	maxEnvelope = 4 << 10
)

// ErrTooLarge ends a session: to ask again would bring the same.
var ErrTooLarge = errors.New("too large")

// TooLarge returns an ErrTooLarge that names what has more than most.
func TooLarge(what string, most int) error {
	return fmt.Errorf("%w: %s past %d", ErrTooLarge, what, most)
}

// ReadAll reads all of r, which must be at most that many bytes.
func ReadAll(r io.Reader, most int) ([]byte, error) {
	return io.ReadAll(&boundedReader{r, most, TooLarge("bytes", most)})
}

// boundedReader fails after that many bytes, where an io.LimitReader would report the
// end.
type boundedReader struct {
	inner io.Reader
	left  int
	err   error
}

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.err
	}
	n, err := b.inner.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// Cost returns how many objects the item counts as: one, and another for each 512 bytes
// that are kept of it, since a slice may have any number of endpoints.
func (i Item) Cost() int {
	kept := len(i.Key)
	switch {
	case i.Service != nil:
		kept += serviceSize(i.Service)
	case i.Slice != nil:
		kept += sliceSize(i.Slice)
	}
	return 1 + kept>>9
}

// serviceSize returns about how many bytes are kept of a Service.
func serviceSize(s *model.Service) int {
	size, addresses := len(s.ExternalName)+portsSize(s.Ports), len(s.ClusterIPs)
	if o := s.Outside; o != nil {
		size += int(unsafe.Sizeof(*o)) + len(o.Hostnames)*int(unsafe.Sizeof(""))
		addresses += len(o.LoadBalancers) + len(o.ExternalIPs)
		for _, hostname := range o.Hostnames {
			size += len(hostname)
		}
	}
	return size + addresses*int(unsafe.Sizeof(netip.Addr{}))
}

// sliceSize returns about how many bytes are kept of a slice, the index of its addresses
// included. The endpoints' details are bounded by their interner.
func sliceSize(s *model.Slice) int {
	size := len(s.Service) + len(s.Cluster) + portsSize(s.Ports) + endpointsSize(s.Endpoints) + len(s.Endpoints)*int(unsafe.Sizeof(model.Owner{}))
	if s.NotReady != nil {
		size += endpointsSize(*s.NotReady)
	}
	return size
}

func endpointsSize(endpoints []model.Endpoint) int {
	size := len(endpoints) * int(unsafe.Sizeof(model.Endpoint{}))
	for i := range endpoints {
		size += len(endpoints[i].Hostname)
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
