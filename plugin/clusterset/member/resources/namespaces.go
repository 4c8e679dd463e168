package resources

import (
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// DerivedNamespaces are those of an API that forbids to list them, and of imports: the
// namespaces that have a Service, with how many.
type DerivedNamespaces map[string]int

// DeriveNamespaces returns d with the namespaces of its Services.
func DeriveNamespaces(d *model.Data, now time.Time) (*model.Data, DerivedNamespaces) {
	count := make(DerivedNamespaces)
	list := make(map[string]decode.Item)
	for s := range d.Services() {
		name := namespaceOf(s.Key)
		count[name]++
		list[name] = decode.Item{Key: name}
	}
	return namespaceTable.Replace(d, list, now), count
}

func namespaceOf(serviceKey string) string {
	_, namespace := SplitKey(serviceKey)
	return namespace
}

// Update returns d after the Service of that key was added (+1) or removed (-1).
func (n DerivedNamespaces) Update(d *model.Data, key string, by int, now time.Time) *model.Data {
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

// CountService returns 1 where there is a Service of that key, else 0.
func CountService(d *model.Data, key string) int {
	if s := d.Service(key); s != nil && s.Type != model.NoService {
		return 1
	}
	return 0
}

// SplitKey returns the name and the namespace of a Service's Key.
func SplitKey(serviceKey string) (name, namespace string) {
	name, namespace, _ = strings.Cut(serviceKey, ".") // no Service's name has a dot
	return name, namespace
}
