package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// run measures everything, in a folder of its own.
func run(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp("", "clusterset-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeData(dir, s.names); err != nil {
		return err
	}
	if s.forwarded {
		if err := runForwarded(ctx, s, dir); err != nil {
			return err
		}
	}
	if s.kube == "" {
		return nil
	}
	return runFromData(ctx, s, dir)
}

func runForwarded(ctx context.Context, s settings, dir string) error {
	member, err := startServer(s.coredns, dir, memberCorefile, memberAddress, service(0)+"."+memberDomain)
	if err != nil {
		return err
	}
	defer member.stop()
	for _, t := range []table{forwarded, cached} {
		if err := t.run(ctx, s, dir); err != nil {
			return err
		}
	}
	return runTails(ctx, s, dir)
}

func runFromData(ctx context.Context, s settings, dir string) error {
	api, err := startAPI(ctx, s.kube, dir)
	if err != nil {
		return err
	}
	defer api.stop()
	if err := api.fill(ctx, s.names); err != nil {
		return err
	}
	if err := fromData.run(ctx, s, dir); err != nil {
		return err
	}
	if err := runMemory(ctx, s, dir); err != nil {
		return err
	}
	return runChanges(ctx, s, dir, api)
}

// run measures every contender of the table, rounds times, in turn, and prints
// the medians.
func (t table) run(ctx context.Context, s settings, dir string) error {
	costs := make(map[string][]time.Duration)
	for round := range s.rounds {
		for _, c := range t.contenders {
			cost, err := measure(ctx, s, dir, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Printf("round %d  %-24s %6.2f us\n", round+1, c.name, micros(cost))
			costs[c.name] = append(costs[c.name], cost)
		}
	}
	t.report(costs)
	return nil
}

// measure starts the contender, warms it up, and gives its CPU time per query.
func measure(ctx context.Context, s settings, dir string, c contender) (time.Duration, error) {
	server, err := startServer(s.coredns, dir, c.corefile, frontAddress, service(0)+"."+c.suffix)
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

func (t table) report(costs map[string][]time.Duration) {
	fmt.Printf("\n%s\n%-24s %10s", t.title, fmt.Sprintf("median of %d", len(costs[t.contenders[0].name])), "us/query")
	for _, peer := range t.peers {
		fmt.Printf(" %12s", "x "+peer)
	}
	fmt.Println()
	for _, c := range t.contenders {
		cost := median(costs[c.name])
		fmt.Printf("%-24s %10.2f", c.name, micros(cost))
		for _, peer := range t.peers {
			fmt.Printf(" %12.2f", float64(cost)/float64(median(costs[peer])))
		}
		fmt.Println()
	}
	fmt.Println()
}

func median(costs []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(costs))
	return sorted[len(sorted)/2]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
