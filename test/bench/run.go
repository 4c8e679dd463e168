package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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
	if err := s.lookAround(); err != nil {
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
	if err := runFromData(ctx, s, dir); err != nil {
		return err
	}
	return runOverset(ctx, s, dir)
}

// lookAround leaves out what isn't there.
func (s *settings) lookAround() error {
	known, err := knowsBatch(s.coredns)
	if err != nil {
		return err
	}
	if s.batch && !known {
		fmt.Printf("%s has no batch: its rows are left out\n", s.coredns)
	}
	s.batch = s.batch && known
	_, err = exec.LookPath(unbound)
	if s.unbound = err == nil; !s.unbound && s.forwarded {
		fmt.Println("unbound isn't installed (Debian's package of that name): its rows are left out")
	}
	return nil
}

func runForwarded(ctx context.Context, s settings, dir string) error {
	member, err := startServer(s.coredns, dir, memberCorefile, memberAddress, service(0)+"."+memberDomain)
	if err != nil {
		return err
	}
	defer member.stop()
	for _, w := range []work{forwarded, cached} {
		if err := w.run(ctx, s, dir); err != nil {
			return err
		}
	}
	if err := cached.memoryOf(ctx, s, dir, fmt.Sprintf("%d answers in the cache", s.names)); err != nil {
		return err
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
	if err := fromData.memoryOf(ctx, s, dir, fmt.Sprintf("%d services and slices", s.names), goal{of: ours, beside: inTree, most: 0.25}); err != nil {
		return err
	}
	if err := fromMarked.memoryOf(ctx, s, dir, fmt.Sprintf("%d services and slices, 5%% of them exported", s.names), goal{of: ours, beside: inTree, most: 0.05}); err != nil {
		return err
	}
	if err := api.export(ctx, s.names); err != nil {
		return err
	}
	if err := oversetOf3.run(ctx, s, dir); err != nil {
		return err
	}
	return runChanges(ctx, s, dir, api)
}

// run measures the work behind each of the settings' plugins.
func (w work) run(ctx context.Context, s settings, dir string) error {
	arounds := s.around
	if arounds == nil {
		arounds = append(slices.Clone(defaultArounds), w.more...)
	}
	for _, plugins := range arounds {
		if err := w.around(plugins, s).run(ctx, s, dir); err != nil {
			return err
		}
	}
	return nil
}

// run starts every contender of the table and measures them in turn, rounds times,
// a short while each, so that what else the machine does comes to all of them. It
// prints the medians.
func (t table) run(ctx context.Context, s settings, dir string) error {
	servers := make([]*server, len(t.contenders))
	for i, c := range t.contenders {
		server, err := s.start(dir, c, i+1)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		defer server.stop()
		if _, err := server.dnsperf(ctx, dir, c.questions(), warmUp); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		servers[i] = server
	}
	costs := make(map[string][]time.Duration)
	for round := range s.rounds {
		for n := range t.contenders {
			i := n
			if round%2 == 1 { // so that none is always the one after the same
				i = len(t.contenders) - 1 - n
			}
			c := t.contenders[i]
			cost, err := servers[i].cost(ctx, dir, c.questions(), s.time)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			costs[c.name] = append(costs[c.name], cost)
		}
	}
	t.report(costs)
	return nil
}

// warmUp fills caches and pools, and opens sockets.
const warmUp = 2 * time.Second

// cost asks the server for a while, and gives its CPU time per query.
func (s *server) cost(ctx context.Context, dir, questions string, d time.Duration) (time.Duration, error) {
	before, err := s.cpuTime()
	if err != nil {
		return 0, err
	}
	queries, err := s.dnsperf(ctx, dir, questions, d)
	if err != nil {
		return 0, err
	}
	after, err := s.cpuTime()
	if err != nil {
		return 0, err
	}
	return (after - before) / time.Duration(queries), nil
}
