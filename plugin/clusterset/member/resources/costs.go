package resources

import (
	"sync/atomic"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// MaxObjects bounds what the resources of a session count as together.
const MaxObjects = 200_000

// Costs are what each resource counts as.
type Costs [Count]atomic.Int64

// Add adds to what a resource counts as. The error is that of too much.
func (c *Costs) Add(resource, objects int) error {
	c[resource].Add(int64(objects))
	total := int64(0)
	for n := range c {
		total += c[n].Load()
	}
	if total > MaxObjects {
		return decode.TooLarge("objects", MaxObjects)
	}
	return nil
}
