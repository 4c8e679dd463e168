package member

import (
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// replace makes the kind's part of d what the list says: only what differs is set,
// what isn't in the list goes (compare cilium/cilium#45441). d stays as it is;
// where nothing differs, it is what is returned.
func (k *kind) replace(d *model.Data, list map[string]item, now time.Time) *model.Data {
	c, changed := d.Change(), false
	for key := range k.keys(d) {
		if _, there := list[key]; !there {
			k.unset(c, key)
			changed = true
		}
	}
	for _, i := range list {
		if !k.same(d, i) {
			k.set(c, d, i)
			changed = true
		}
	}
	if !changed {
		return d
	}
	return c.Done(now)
}

// change takes in one event.
func (k *kind) change(d *model.Data, i item, deleted bool, now time.Time) *model.Data {
	c := d.Change()
	switch {
	case deleted:
		k.unset(c, i.key)
	case k.same(d, i):
		return d
	default:
		k.set(c, d, i)
	}
	return c.Done(now)
}

// derived are the namespaces of an API that doesn't let us see them: those that
// have a Service, with how many.
type derived map[string]int

// deriveNamespaces makes the namespaces of d those of its Services.
func deriveNamespaces(d *model.Data, k *kind, now time.Time) (*model.Data, derived) {
	count := make(derived)
	list := make(map[string]item)
	for s := range d.Services() {
		name := namespaceOf(s.Key)
		count[name]++
		list[name] = item{key: name}
	}
	return k.replace(d, list, now), count
}

func namespaceOf(serviceKey string) string {
	_, namespace, _ := strings.Cut(serviceKey, ".") // no Service's name has a dot
	return namespace
}

// follow takes in that the Service of that key came (+1) or went (-1).
func (n derived) follow(d *model.Data, key string, by int, now time.Time) *model.Data {
	name := namespaceOf(key)
	before := n[name]
	n[name] += by
	c := d.Change()
	switch {
	case before == 0:
		c.SetNamespace(name)
	case n[name] == 0:
		delete(n, name)
		c.DeleteNamespace(name)
	default:
		return d
	}
	return c.Done(now)
}

func hasService(d *model.Data, key string) int {
	if s := d.Service(key); s != nil && s.Type != model.NoService {
		return 1
	}
	return 0
}
