// Bench measures what clusterset costs, beside the plugins that do the same work,
// all in one run on loopback: the CPU time of the server process per query, the
// memory that a member's data take, and the time from a change in the member's
// API to a changed answer. Every contender is measured in turn, several times,
// and the median is shown: machines are noisy, ratios less so.
//
// It needs dnsperf, bin/coredns and, for what is answered from data, bin/kube.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	settings := settings{}
	flag.StringVar(&settings.coredns, "coredns", "bin/coredns", "the custom CoreDNS")
	flag.StringVar(&settings.before, "before", "", "the custom CoreDNS of before, to be measured beside it")
	flag.BoolVar(&settings.batch, "batch", true, "measure with the plugin batch too")
	flag.Var(&settings.around, "around", "plugins before the one that is measured, separated by commas; given more than once, each is measured")
	flag.IntVar(&settings.rounds, "rounds", 20, "how often each contender is measured; a quarter of that where it is started anew each time")
	flag.DurationVar(&settings.time, "time", time.Second, "how long each measurement takes")
	flag.IntVar(&settings.names, "names", 10000, "how many services the member has")
	flag.BoolVar(&settings.forwarded, "forwarded", true, "measure forwarding, the cache and an upstream's late replies")
	flag.IntVar(&settings.queries, "queries", 4000, "how many queries are timed beside late replies")
	flag.StringVar(&settings.kube, "kube", "bin/kube", "the API servers; \"\" leaves out what needs them")
	flag.IntVar(&settings.changes, "changes", 200, "how many changes in the member's API are timed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, settings); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// arounds are the plugins of each -around.
type arounds []string

// defaultArounds are those where there is no -around.
var defaultArounds = arounds{nothing, "errors", "errors, prometheus"}

func (a *arounds) String() string { return strings.Join(*a, "; ") }

// Set implements flag.Value.
func (a *arounds) Set(plugins string) error {
	*a = append(*a, plugins)
	return nil
}

type settings struct {
	coredns string
	// before is "" where there is nothing to compare with.
	before string
	// around is nil where each work is measured in what it is meant to be.
	around arounds
	// batch is whether to measure with it too, and unbound whether there is one.
	batch, unbound bool
	// forwarded and kube say which parts run.
	forwarded bool
	kube      string
	changes   int
	queries   int
	rounds    int
	time      time.Duration
	names     int
}

// starts is how often a server is started where each measurement needs a new one.
func (s settings) starts() int { return max(s.rounds/4, 1) }
