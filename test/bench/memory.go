package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// settled is how long a server has been up when its memory is read.
const settled = 5 * time.Second

// memoryOf prints what the servers' memory is over that of an idle one, alone in their
// server blocks and without batch.
func (w work) memoryOf(ctx context.Context, s settings, dir, what string, goals ...goal) error {
	s.batch = false
	used := make(map[string][]int)
	servers := w.around(nothing, s).contenders
	servers = servers[:len(servers)-1] // names in the short form take none of their own
	for range s.starts() {
		for _, c := range servers {
			kib, err := residentMemory(ctx, s, dir, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			used[c.name] = append(used[c.name], kib)
		}
	}
	idle, peer := servers[0].name, servers[1].name
	over := func(name string) float64 {
		return float64(median(used[name])-median(used[idle])) / 1024
	}
	fmt.Printf("resident memory, %s\n%-24s %10s %12s %16s\n", what, fmt.Sprintf("median of %d", s.starts()), "MiB", "over idle", "x "+peer)
	for _, c := range servers {
		fmt.Printf("%-24s %10.1f %12.1f %16.2f\n", c.name, float64(median(used[c.name]))/1024, over(c.name), over(c.name)/over(peer))
	}
	for _, g := range goals {
		g.report([]float64{over(g.of) / over(g.beside)})
	}
	fmt.Println()
	return nil
}

// residentMemory is that of the contender's process, in KiB, without files' pages, once it was asked for all
// names and is settled.
func residentMemory(ctx context.Context, s settings, dir string, c contender) (int, error) {
	server, err := s.start(dir, c, 1)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	if strings.Contains(c.plugin, "cache") {
		if _, err := server.dnsperf(ctx, dir, c.questions(), warmUp); err != nil {
			return 0, err
		}
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(settled):
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "RssAnon:" {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("no RssAnon")
}
