package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// run measures every contender rounds times, in turn, and prints the medians.
func run(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp("", "clusterset-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeData(dir, s.names); err != nil {
		return err
	}
	member, err := startServer(s.coredns, dir, memberCorefile, memberAddress+":"+port)
	if err != nil {
		return err
	}
	defer member.stop()
	costs := make(map[string][]time.Duration)
	for round := range s.rounds {
		for _, c := range contenders {
			cost, err := measure(ctx, s, dir, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Printf("round %d  %-24s %6.2f us\n", round+1, c.name, micros(cost))
			costs[c.name] = append(costs[c.name], cost)
		}
	}
	report(costs)
	return nil
}

// measure starts the contender, warms it up, and gives its CPU time per query.
func measure(ctx context.Context, s settings, dir string, c contender) (time.Duration, error) {
	server, err := startServer(s.coredns, dir, c.corefile, frontAddress+":"+port)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	questions := c.suffix + ".questions"
	if _, err := dnsperf(ctx, dir, questions, time.Second); err != nil {
		return 0, err
	}
	before, err := server.cpuTime()
	if err != nil {
		return 0, err
	}
	queries, err := dnsperf(ctx, dir, questions, s.time)
	if err != nil {
		return 0, err
	}
	after, err := server.cpuTime()
	if err != nil {
		return 0, err
	}
	return (after - before) / time.Duration(queries), nil
}

func report(costs map[string][]time.Duration) {
	base := median(costs[peer])
	fmt.Printf("\n%-24s %10s %10s\n", "median of "+fmt.Sprint(len(costs[peer])), "us/query", "x "+peer)
	for _, c := range contenders {
		cost := median(costs[c.name])
		fmt.Printf("%-24s %10.2f %10.2f\n", c.name, micros(cost), float64(cost)/float64(base))
	}
}

func median(costs []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(costs))
	return sorted[len(sorted)/2]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
