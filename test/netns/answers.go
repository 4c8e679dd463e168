//go:build e2e && linux

package netns

import (
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// answers are what a load got.
type answers []answer

// p99 is the time that 99 of 100 were there within.
func (all answers) p99() time.Duration { return all.quantile(0.99) }

func (all answers) quantile(q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	times := make([]time.Duration, 0, len(all))
	for _, a := range all {
		times = append(times, a.took)
	}
	slices.Sort(times)
	return times[int(q*float64(len(times)-1))]
}

func (all answers) String() string {
	rcodes := make(map[string]int)
	for _, a := range all {
		rcodes[a.kind()]++
	}
	round := func(q float64) time.Duration { return all.quantile(q).Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d answers %v, p50 %v, p99 %v, slowest %v", len(all), rcodes, round(0.5), round(0.99), round(1))
}

// kind is the rcode, with TC.
func (a answer) kind() string {
	switch {
	case a.err != nil:
		return "none"
	case a.Truncated:
		return dns.RcodeToString[a.Rcode] + " TC"
	}
	return dns.RcodeToString[a.Rcode]
}

// over gives those that came over TCP, or over UDP.
func (all answers) over(tcp bool) (some answers) {
	for _, a := range all {
		if a.tcp == tcp {
			some = append(some, a)
		}
	}
	return some
}

// check says what is wrong with each answer, or that there is none.
func (all answers) check(what string, e expectation) (wrong []error) {
	for _, a := range all {
		if err := e(a); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %s, tcp %v: %w", what, a.name, a.tcp, err))
		}
	}
	if len(all) == 0 {
		wrong = append(wrong, fmt.Errorf("%s: nothing was asked", what))
	}
	return wrong
}

// count is how many are as expected.
func (all answers) count(e expectation) (n int) {
	for _, a := range all {
		if e(a) == nil {
			n++
		}
	}
	return n
}
