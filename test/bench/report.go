package main

import (
	"fmt"
	"slices"
	"time"
)

// report prints each contender's median, the median of what each round makes it of a
// peer's and, with batch, of the same without; and then the goals.
func (t table) report(costs map[string][]time.Duration) {
	withBatch := slices.ContainsFunc(t.contenders, func(c contender) bool { return c.batch })
	fmt.Printf("%s\n%-28s %10s", t.title, fmt.Sprintf("median of %d", len(costs[t.contenders[0].name])), "us/query")
	for _, peer := range t.peers {
		fmt.Printf(" %16s", "x "+peer)
	}
	if withBatch {
		fmt.Printf(" %10s", "x without")
	}
	fmt.Println()
	for _, c := range t.contenders {
		fmt.Printf("%-28s %10.2f", c.name, float64(median(costs[c.name]).Nanoseconds())/1000)
		for _, peer := range t.peers {
			fmt.Printf(" %16.2f", median(ratios(costs[c.name], costs[peer])))
		}
		if c.batch {
			fmt.Printf(" %10.2f", median(ratios(costs[c.name], costs[c.without()])))
		}
		fmt.Println()
	}
	for _, g := range t.goals {
		of, beside := costs[g.of], costs[g.beside]
		if of == nil || beside == nil || g.around != "" && g.around != t.around {
			continue
		}
		g.report(ratios(of, beside))
	}
	fmt.Println()
}

func ratios(costs, peer []time.Duration) []float64 {
	of := make([]float64, len(costs))
	for i := range costs {
		of[i] = float64(costs[i]) / float64(peer[i])
	}
	return of
}

// median is, of an even number of values, between the two in the middle.
func median[T ~int | ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
