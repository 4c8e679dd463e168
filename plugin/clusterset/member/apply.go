package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// replace returns d with the table's part as the list has it: only what differs is set,
// and what isn't in the list is removed (compare cilium/cilium#45441). Where nothing
// differs, it returns d.
func (r *table) replace(d *model.Data, list map[string]decode.Item, now time.Time) *model.Data {
	c, changed := d.Change(), false
	for key := range r.keys(d) {
		if _, listed := list[key]; !listed {
			r.unset(c, key)
			changed = true
		}
	}
	for _, i := range list {
		if !r.same(d, i) {
			r.set(c, d, i)
			changed = true
		}
	}
	if !changed {
		return d
	}
	return c.Done(now)
}

// change returns d with one event applied.
func (r *table) change(d *model.Data, i decode.Item, deleted bool, now time.Time) *model.Data {
	c := d.Change()
	switch {
	case deleted:
		r.unset(c, i.Key)
	case r.same(d, i):
		return d
	default:
		r.set(c, d, i)
	}
	return c.Done(now)
}
