package resources

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Replace returns d with the table's part as the list has it: only what differs is set,
// and what isn't in the list is removed (compare cilium/cilium#45441). Where nothing
// differs, it returns d.
func (r *Table) Replace(d *model.Data, list map[string]decode.Item, now time.Time) *model.Data {
	c, changed := d.Change(), false
	for key := range r.Keys(d) {
		if _, listed := list[key]; !listed {
			r.Unset(c, key)
			changed = true
		}
	}
	for _, i := range list {
		if !r.Same(d, i) {
			r.Set(c, d, i)
			changed = true
		}
	}
	if !changed {
		return d
	}
	return c.Done(now)
}

// Change returns d with one event applied.
func (r *Table) Change(d *model.Data, i decode.Item, deleted bool, now time.Time) *model.Data {
	c := d.Change()
	switch {
	case deleted:
		r.Unset(c, i.Key)
	case r.Same(d, i):
		return d
	default:
		r.Set(c, d, i)
	}
	return c.Done(now)
}
