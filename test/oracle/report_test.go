//go:build e2e

package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// deviation is a reply of ours that isn't theirs.
type deviation struct {
	*comparison
	question
	way       way
	want, got *dns.Msg
	// tried are the exceptions that changed want.
	tried []string
}

// examples are how many deviations of one shape are told in full.
const examples = 3

// report tells of the deviations, a few of each shape: one mistake makes
// thousands.
func report(deviations []*deviation) []string {
	shapes := map[string][]*deviation{}
	for _, d := range deviations {
		shapes[d.shape()] = append(shapes[d.shape()], d)
	}
	var list []string
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		alike := shapes[shape]
		var b strings.Builder
		fmt.Fprintf(&b, "%d times %s\n", len(alike), shape)
		for _, d := range alike[:min(examples, len(alike))] {
			b.WriteString(d.String())
		}
		list = append(list, b.String())
	}
	return list
}

// shape is what the deviations of one mistake have in common: the replies' codes,
// and of what types their records are.
func (d *deviation) shape() string {
	return shapeOf(d.want) + " became " + shapeOf(d.got)
}

func shapeOf(m *dns.Msg) string {
	if isSilence(m) {
		return "no reply"
	}
	shape := dns.RcodeToString[m.Rcode]
	for _, section := range [][]dns.RR{m.Answer, m.Ns, withoutEDNS(m.Extra)} {
		kinds := map[string]bool{}
		for _, rr := range section {
			kinds[dns.TypeToString[rr.Header().Rrtype]] = true
		}
		shape += fmt.Sprint(slices.Sorted(maps.Keys(kinds)))
	}
	return shape
}

func (d *deviation) String() string {
	return fmt.Sprintf("%s\n  kubernetes, renamed, exceptions %q:\n%s  clusterset:\n%s", d.question, d.tried, indent(text(d.want)), indent(text(d.got)))
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ") + "\n"
}
