package main

import (
	"fmt"
	"math"
	"slices"
)

// goal is what a contender is to cost at most, as a part of what another does.
type goal struct {
	of, beside string
	most       float64
	// around are the plugins around both that it holds for; "" are any.
	around string
}

// report prints the goal beside what was seen: the median of the ratios, and between
// which they were.
func (g goal) report(seen []float64) {
	spread := ""
	if len(seen) > 1 {
		spread = fmt.Sprintf(" (%.2f to %.2f)", slices.Min(seen), slices.Max(seen))
	}
	fmt.Printf("goal: %s at most %.2f x %s: %.2f%s, %s\n", g.of, g.most, g.beside, median(seen), spread, verdict(median(seen), g.most))
}

// verdict is about what is shown, with two decimals.
func verdict(seen, most float64) string {
	if math.Round(seen*100) <= math.Round(most*100) {
		return "holds"
	}
	return "missed"
}
