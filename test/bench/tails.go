package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// lateEvery is which of one upstream's replies is late, by lateBy.
	lateEvery, lateBy = 20, 200 * time.Millisecond
	// tailPause is between two queries that are timed.
	tailPause = time.Millisecond
)

// tails ask a member with two upstreams, one of which is sometimes late.
var tails = []contender{
	{name: forward, suffix: memberDomain, plugin: forwardMember + " " + lateAddress + ":" + port + " {\n        policy round_robin\n    }"},
	{name: "clusterset, hedge off", suffix: "svc.c1.lan", plugin: tailMode("off")},
	{name: ours, suffix: "svc.c1.lan", plugin: tailMode("auto")},
}

func tailMode(hedge string) string {
	return "clusterset lan {\n        file tail.yaml\n        mode forward\n        cache 0\n        hedge " + hedge + "\n    }"
}

// runTails prints how long queries take while one of a member's two upstreams
// delays some of its replies.
func runTails(ctx context.Context, s settings, dir string) error {
	relay, err := startRelay()
	if err != nil {
		return err
	}
	defer relay.Stop()
	times := make(map[string][][]time.Duration)
	for range s.starts() {
		for _, c := range tails {
			took, err := tail(ctx, s, dir, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			times[c.name] = append(times[c.name], took)
		}
	}
	fmt.Printf("one of two upstreams delays 1 of %d replies by %s, %d queries\n%-24s %10s %10s %10s %12s\n", lateEvery, lateBy, s.queries,
		fmt.Sprintf("median of %d", s.starts()), "median", "p99", "slowest", "p99 x forward")
	quantile := func(name string, of int) time.Duration {
		var all []time.Duration
		for _, round := range times[name] {
			all = append(all, round[min(len(round)*of/100, len(round)-1)])
		}
		return median(all)
	}
	for _, c := range tails {
		round := func(of int) time.Duration { return quantile(c.name, of).Round(10 * time.Microsecond) }
		fmt.Printf("%-24s %10s %10s %10s %12.2f\n", c.name, round(50), round(99), round(100), float64(quantile(c.name, 99))/float64(quantile(forward, 99)))
	}
	goal{of: ours + ", p99", beside: forward, most: 0.05}.report([]float64{float64(quantile(ours, 99)) / float64(quantile(forward, 99))})
	fmt.Println()
	return nil
}

// tail asks the contender and gives the sorted times.
func tail(ctx context.Context, s settings, dir string, c contender) ([]time.Duration, error) {
	server, err := s.start(dir, c, 1)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	times := make([]time.Duration, s.queries)
	failed := make(chan error, s.queries)
	var asking sync.WaitGroup
	pause := time.NewTicker(tailPause)
	defer pause.Stop()
	for i := range times {
		<-pause.C
		asking.Go(func() {
			var err error
			if times[i], err = timed(ctx, service(i%s.names)+"."+c.suffix+"."); err != nil {
				failed <- err
			}
		})
	}
	asking.Wait()
	slices.Sort(times)
	select {
	case err := <-failed:
		return nil, err
	default:
		return times, nil
	}
}

// timed asks for one name and gives how long the answer took.
func timed(ctx context.Context, name string) (time.Duration, error) {
	question := new(dns.Msg)
	question.SetQuestion(name, dns.TypeA)
	client := &dns.Client{Timeout: 5 * time.Second}
	reply, took, err := client.ExchangeContext(ctx, question, net.JoinHostPort(frontNetwork+"1", port))
	if err == nil && reply.Rcode != dns.RcodeSuccess {
		err = fmt.Errorf("%s: %s", name, dns.RcodeToString[reply.Rcode])
	}
	return took, err
}
