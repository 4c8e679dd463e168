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

// runMemory prints what the servers' memory is over that of an idle one.
func runMemory(ctx context.Context, s settings, dir string) error {
	const idle = "whoami"
	used := make(map[string][]int)
	servers := fromData.contenders[:3]
	for range s.starts() {
		for _, c := range servers {
			kib, err := residentMemory(ctx, s, dir, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			used[c.name] = append(used[c.name], kib)
		}
	}
	over := func(name string) float64 {
		return float64(median(used[name])-median(used[idle])) / 1024
	}
	fmt.Printf("resident memory, %d services and slices\n%-24s %10s %12s %12s\n", s.names, fmt.Sprintf("median of %d", s.starts()), "MiB", "over idle", "x kubernetes")
	for _, c := range servers {
		fmt.Printf("%-24s %10.1f %12.1f %12.2f\n", c.name, float64(median(used[c.name]))/1024, over(c.name), over(c.name)/over("kubernetes"))
	}
	fmt.Println()
	return nil
}

// residentMemory is that of the contender's process, in KiB, once it is settled.
func residentMemory(ctx context.Context, s settings, dir string, c contender) (int, error) {
	server, err := startServer(s.coredns, dir, c.corefile, frontNetwork+"1", service(0)+"."+c.suffix)
	if err != nil {
		return 0, err
	}
	defer server.stop()
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
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("no VmRSS")
}
