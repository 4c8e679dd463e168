// Bench measures what an answer costs: the CPU time of the server process per
// query, of clusterset beside the plugins that do the same work, all in one run
// on loopback. Every contender is measured in turn, several times, and the
// median is shown: machines are noisy, ratios less so.
//
// It needs dnsperf and bin/coredns.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	settings := settings{}
	flag.StringVar(&settings.coredns, "coredns", "bin/coredns", "the custom CoreDNS")
	flag.IntVar(&settings.rounds, "rounds", 5, "how often each contender is measured")
	flag.DurationVar(&settings.time, "time", 4*time.Second, "how long each measurement takes")
	flag.IntVar(&settings.names, "names", 10000, "how many services the member has")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, settings); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type settings struct {
	coredns string
	rounds  int
	time    time.Duration
	names   int
}
