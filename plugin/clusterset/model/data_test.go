package model

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	vip      = netip.MustParseAddr("10.101.0.1")
	otherVIP = netip.MustParseAddr("10.101.0.2")
	podA     = netip.MustParseAddr("10.51.0.1")
	podB     = netip.MustParseAddr("10.51.0.2")
)

func slice(key, service string, addresses ...netip.Addr) *Slice {
	s := &Slice{Key: key, Service: service}
	for _, addr := range addresses {
		s.Endpoints = append(s.Endpoints, Endpoint{Addr: addr})
	}
	return s
}

func changed(d *Data, changes ...func(*Change)) *Data {
	c := d.Change()
	for _, change := range changes {
		change(c)
	}
	return c.Done(time.Unix(1, 0))
}

// text is what a test expects of data: its services with their slices, and who
// owns the addresses above.
func text(d *Data) string {
	var lines []string
	for _, s := range d.services.all() {
		line := fmt.Sprintf("%s %d %v", s.Key, s.Type, s.ClusterIPs)
		for _, endpoints := range s.Slices {
			line += " " + endpoints.Key
		}
		lines = append(lines, line)
	}
	for _, addr := range []netip.Addr{vip, otherVIP, podA, podB} {
		for _, o := range d.Owners(addr) {
			line := fmt.Sprintf("%s: %s", addr, o.Service)
			if o.Slice != nil {
				line += fmt.Sprintf(" %s[%d]", o.Slice.Key, o.Endpoint)
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestData(t *testing.T) {
	web := Service{Key: "web.default", Type: ClusterIP, ClusterIPs: []netip.Addr{vip}}
	setWeb := func(c *Change) { c.SetService(web) }
	setSlice := func(s *Slice) func(*Change) { return func(c *Change) { c.SetSlice(s) } }
	one := slice("default/one", "web.default", podA, podB)
	tests := []struct {
		name    string
		changes []func(*Change)
		want    []string
	}{
		{"a service", []func(*Change){setWeb}, []string{"10.101.0.1: web.default", "web.default 1 [10.101.0.1]"}},
		{"its address changes", []func(*Change){setWeb, func(c *Change) {
			c.SetService(Service{Key: "web.default", Type: ClusterIP, ClusterIPs: []netip.Addr{otherVIP}})
		}}, []string{"10.101.0.2: web.default", "web.default 1 [10.101.0.2]"}},
		{"slices before their service", []func(*Change){setSlice(one), setWeb}, []string{
			"10.101.0.1: web.default", "10.51.0.1: web.default default/one[0]", "10.51.0.2: web.default default/one[1]", "web.default 1 [10.101.0.1] default/one"}},
		{"the service goes first", []func(*Change){setWeb, setSlice(one), func(c *Change) { c.DeleteService("web.default") }}, []string{
			"10.51.0.1: web.default default/one[0]", "10.51.0.2: web.default default/one[1]", "web.default 0 [] default/one"}},
		{"and then its slice", []func(*Change){setWeb, setSlice(one), func(c *Change) { c.DeleteService("web.default") }, func(c *Change) { c.DeleteSlice("default/one") }}, nil},
		{"an endpoint in two slices, one of which goes", []func(*Change){setWeb, setSlice(one), setSlice(slice("default/two", "web.default", podA)), func(c *Change) { c.DeleteSlice("default/one") }}, []string{
			"10.101.0.1: web.default", "10.51.0.1: web.default default/two[0]", "web.default 1 [10.101.0.1] default/two"}},
		{"a slice changes hands", []func(*Change){setWeb, setSlice(one), setSlice(slice("default/one", "db.default", podB))}, []string{
			"10.101.0.1: web.default", "10.51.0.2: db.default default/one[0]", "db.default 0 [] default/one", "web.default 1 [10.101.0.1]"}},
		{"two services of one address", []func(*Change){setWeb, func(c *Change) { c.SetService(Service{Key: "db.default", Type: ClusterIP, ClusterIPs: web.ClusterIPs}) }, func(c *Change) { c.DeleteService("web.default") }}, []string{
			"10.101.0.1: db.default", "db.default 1 [10.101.0.1]"}},
		{"what isn't there is deleted", []func(*Change){func(c *Change) {
			c.DeleteService("x.y")
			c.DeleteSlice("y/x")
			c.DeleteNamespace("y")
			c.DeleteExport("x.y")
		}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := changed(NewData(), setWeb, setSlice(one))
			was := text(before)
			if diff := cmp.Diff(strings.Join(tt.want, "\n"), text(changed(NewData(), tt.changes...))); diff != "" {
				t.Error(diff)
			}
			changed(before, tt.changes...)
			if diff := cmp.Diff(was, text(before)); diff != "" {
				t.Errorf("what it began with changed: %s", diff)
			}
		})
	}
}

func TestSlice(t *testing.T) {
	one := slice("default/one", "web.default", podA)
	d := changed(NewData(), func(c *Change) { c.SetSlice(one) })
	if d.Slice("default/one") != one || d.Slice("default/two") != nil {
		t.Error("not the slices that were set")
	}
}

func TestExported(t *testing.T) {
	since := time.Unix(1000, 0)
	d := changed(NewData(), func(c *Change) {
		c.SetService(Service{Key: "marked.default", Type: ClusterIP, Marked: true})
		c.SetService(Service{Key: "plain.default", Type: ClusterIP})
		c.SetExport("plain.other", since)
	})
	for key, want := range map[string]bool{"marked.default": true, "plain.default": false, "plain.other": true, "x.y": false} {
		if _, ok := d.Exported(key); ok != want {
			t.Errorf("%s: %v", key, ok)
		}
	}
	if at, _ := d.Exported("plain.other"); at != since {
		t.Errorf("exported since %s", at)
	}
}

// TestDataCost: a change among many services costs what it costs among few, and a
// look-up allocates nothing.
func TestDataCost(t *testing.T) {
	cost := func(services int) float64 {
		c := NewData().Change()
		for i := range services {
			c.SetService(Service{Key: fmt.Sprintf("service-%d.default", i), Type: Headless})
		}
		d, s := c.Done(time.Now()), slice("default/service-1", "service-1.default", podA)
		if n := testing.AllocsPerRun(100, func() { d.Service("service-1.default"); d.Owners(podA); d.HasNamespace("default") }); n != 0 {
			t.Errorf("%v allocations of a look-up", n)
		}
		return testing.AllocsPerRun(100, func() { c := d.Change(); c.SetSlice(s); c.Done(time.Time{}) })
	}
	if few, many := cost(10), cost(100_000); many > few+16 {
		t.Errorf("%v allocations among 100,000 services, %v among 10", many, few)
	}
}

// BenchmarkChange is an event: one slice of 10,000 services changed, and the data
// made anew. A thousand of them a second are to leave the machine to the queries.
func BenchmarkChange(b *testing.B) {
	c := NewData().Change()
	for i := range 10_000 {
		key := fmt.Sprintf("service-%d.default", i)
		c.SetService(Service{Key: key, Type: Headless})
		c.SetSlice(slice(fmt.Sprintf("default/slice-%d", i), key, netip.AddrFrom4([4]byte{10, 51, byte(i / 250), byte(i % 250)})))
	}
	d := c.Done(time.Now())
	s := slice("default/slice-77", "service-77.default", podB)
	b.ReportAllocs()
	for b.Loop() {
		c := d.Change()
		c.SetSlice(s)
		c.Done(time.Time{})
	}
}

// TestManyOfOne: what an API says of one address, or one Service, has an end, so that
// the next change costs no more than this one.
func TestManyOfOne(t *testing.T) {
	const many = 2 * maxSlices
	addr := netip.MustParseAddr("10.0.0.1")
	d := NewData()
	key := func(n int) string { return fmt.Sprintf("s%d.default", n) }
	slice := func(n int) string { return fmt.Sprintf("default/s%d", n) }
	c := d.Change()
	for n := range many {
		c.SetSlice(&Slice{Key: slice(n), Service: "one.default", Endpoints: []Endpoint{{Addr: addr}}})
	}
	for n := range many {
		c.SetService(Service{Key: key(n), Type: ClusterIP, ClusterIPs: []netip.Addr{addr}})
	}
	d = c.Done(time.Now())
	if got := len(d.Owners(addr)); got != maxOwners {
		t.Errorf("an address has %d owners", got)
	}
	if got := len(d.Service("one.default").Slices); got != maxSlices {
		t.Errorf("a Service has %d slices", got)
	}
	if last := d.Owners(addr)[0].Service; last != key(many-1) {
		t.Errorf("the last Service's address is %s's", last)
	}
	c = d.Change()
	for n := range many {
		c.DeleteService(key(n))
		c.DeleteSlice(slice(n))
	}
	d = c.Done(time.Now())
	if len(d.Owners(addr)) != 0 || d.Service("one.default") != nil {
		t.Errorf("when all are gone: %v, %v", d.Owners(addr), d.Service("one.default"))
	}
}
