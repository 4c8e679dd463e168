package answercache

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestStatus: a cache holds what its members do, and each has its share of the capacity.
func TestStatus(t *testing.T) {
	c := New(Options{Capacity: 100, NegativeTTL: 5})
	one, _ := newMember(t, c)
	two, _ := newMember(t, c)
	if got, want := c.Status(), (status.Cache{Positive: kind(0, 0, 100), Negative: kind(0, 0, 25)}); got != want {
		t.Errorf("empty: %+v, want %+v", got, want)
	}
	now := time.Now()
	heavy := address("a.", 60)
	for range 10 {
		heavy.Answer = append(heavy.Answer, dns.Copy(heavy.Answer[0]))
	}
	one.Put(key("a.lan."), "a.", heavy, now)
	one.Put(key("b.lan."), "b.", address("b.", 60), now)
	one.Put(key("c.lan."), "c.", nameError(60), now)
	two.Put(key("a.lan."), "a.", address("a.", 60), now)
	if got, want := one.Status(), (status.Cache{Positive: kind(2, 3, 50), Negative: kind(1, 1, 25)}); got != want {
		t.Errorf("one: %+v, want %+v", got, want)
	}
	if got, want := two.Status(), (status.Cache{Positive: kind(1, 1, 50), Negative: kind(0, 0, 12)}); got != want {
		t.Errorf("two: %+v, want %+v", got, want)
	}
	if got, want := c.Status(), (status.Cache{Positive: kind(3, 4, 100), Negative: kind(1, 1, 25)}); got != want {
		t.Errorf("both: %+v, want %+v", got, want)
	}
	text, err := json.Marshal(two.Status())
	if want := `{"positive":{"entries":1,"weight":1,"capacity":50},"negative":{"entries":0,"weight":0,"capacity":12}}`; string(text) != want || err != nil {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	one.Drop()
	if got, want := one.Status(), (status.Cache{Positive: kind(0, 0, 50), Negative: kind(0, 0, 25)}); got != want {
		t.Errorf("dropped: %+v, want %+v", got, want)
	}
}

func kind(entries, weight, capacity int) status.CacheKind {
	return status.CacheKind{Entries: entries, Weight: weight, Capacity: capacity}
}
