package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// derivedNamespaces are those of an API that forbids to list them, and of imports: the
// namespaces that have a Service, with how many.
type derivedNamespaces map[string]int

// deriveNamespaces returns d with the namespaces of its Services.
func deriveNamespaces(d *model.Data, now time.Time) (*model.Data, derivedNamespaces) {
	count := make(derivedNamespaces)
	list := make(map[string]decode.Item)
	for s := range d.Services() {
		name := namespaceOf(s.Key)
		count[name]++
		list[name] = decode.Item{Key: name}
	}
	return namespaceTable.replace(d, list, now), count
}

func namespaceOf(serviceKey string) string {
	_, namespace := splitKey(serviceKey)
	return namespace
}

// update returns d after the Service of that key was added (+1) or removed (-1).
func (n derivedNamespaces) update(d *model.Data, key string, by int, now time.Time) *model.Data {
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

// countService returns 1 where there is a Service of that key, else 0.
func countService(d *model.Data, key string) int {
	if s := d.Service(key); s != nil && s.Type != model.NoService {
		return 1
	}
	return 0
}
