//go:build e2e

package overset

import "fmt"

// cilium: a global service of two clusters, as Cilium's annotations have it.
func cilium(s *story) {
	east, west := s.web(s.east, byCilium), s.web(s.west, byCilium)
	v := s.start("east", "", document(nil, s.east.as(), s.west.as(), s.north.as()))
	type set = map[string]any
	affinity := func(a any) func() {
		return func() { s.annotate(s.east, "web", set{"service.cilium.io/affinity": a}) }
	}
	ready := func(c *cluster, count int) func() { return func() { s.endpoints(c, "web", 2, count) } }
	shared := func(value any) func() {
		return func() { s.annotate(s.west, "web", set{"service.cilium.io/shared": value}) }
	}
	namespace := func(value any) func() {
		return func() { s.annotateNamespace(s.west, set{"clustermesh.cilium.io/global": value}) }
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"affinity none", affinity("none"), both(east, west)},
		{"affinity local", affinity("local"), east},
		{"affinity local, none ready here", ready(s.east, 0), west},
		{"affinity local, ready again", ready(s.east, 2), east},
		{"affinity remote", affinity("remote"), west},
		{"affinity remote, none ready there", ready(s.west, 0), east},
		{"affinity remote, ready again", ready(s.west, 2), west},
		{"no affinity: the Corefile's default, local", affinity(nil), east},
		{"affinity none again", affinity("none"), both(east, west)},
		{"shared false", shared("false"), east},
		{"shared again", shared(nil), both(east, west)},
		{"namespace global false", namespace("false"), east},
		{"namespace global true", namespace("true"), both(east, west)},
		{"global no more", func() { s.annotate(s.west, "web", set{"service.cilium.io/global": nil}) }, east},
	} {
		step.do()
		fmt.Fprintln(s.Output(), step.name)
		v.await(s.name("web"), step.want)
	}
}
