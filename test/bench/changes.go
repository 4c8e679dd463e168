package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/miekg/dns"
)

// late is when a change isn't waited for any more.
const late = 10 * time.Second

// soon is within what a change is to be seen, 99 times of 100.
const soon = 20 * time.Millisecond

// runChanges prints how long it takes from a changed EndpointSlice (its write
// begun, so that the API server's part is in it) to a changed answer.
func runChanges(ctx context.Context, s settings, dir string, api *memberAPI) error {
	const name = "changing"
	headless := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: exported}, Spec: v1.ServiceSpec{ClusterIP: v1.ClusterIPNone, Ports: []v1.ServicePort{{Name: "http", Port: 80}}}}
	if _, err := api.client.CoreV1().Services("default").Create(ctx, headless, metav1.CreateOptions{}); err != nil {
		return err
	}
	slice, err := api.client.DiscoveryV1().EndpointSlices("default").Create(ctx, sliceOf(name, "10.52.0.0"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for _, c := range append(slices.Clone(fromData.contenders[1:3]), oversetChanges) {
		times, err := changes(ctx, s, dir, c, func(address string) error {
			slice.Endpoints[0].Addresses[0] = address
			slice, err = api.client.DiscoveryV1().EndpointSlices("default").Update(ctx, slice, metav1.UpdateOptions{})
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		slices.Sort(times)
		p99 := times[len(times)*99/100]
		fmt.Printf("EndpointSlice changed -> changed answer, %d times: %-26s median %s, p99 %s, slowest %s\n", len(times), c.name,
			times[len(times)/2].Round(100*time.Microsecond), p99.Round(100*time.Microsecond), times[len(times)-1].Round(100*time.Microsecond))
		if c.name != inTree {
			fmt.Printf("goal: %s, p99 at most %s: %s, %s\n", c.name, soon, p99.Round(100*time.Microsecond), verdict(milliseconds(p99), milliseconds(soon)))
		}
	}
	return nil
}

// changes makes the changes, one after the other, each to an address of its own.
func changes(ctx context.Context, s settings, dir string, c contender, change func(address string) error) ([]time.Duration, error) {
	name := "changing.default." + c.suffix
	server, err := startServer(s.coredns, dir, c.corefile(), frontNetwork+"1", name)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	var times []time.Duration
	for i := range s.changes {
		address := fmt.Sprintf("10.52.%d.%d", i/250+1, i%250+1)
		start := time.Now()
		if err := change(address); err != nil {
			return nil, err
		}
		if err := awaitAddress(name+".", address); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return times, nil
}

// awaitAddress asks until the answer is that one address.
func awaitAddress(name, address string) error {
	question := new(dns.Msg)
	question.SetQuestion(name, dns.TypeA)
	client := &dns.Client{Timeout: time.Second}
	for end := time.Now().Add(late); time.Now().Before(end); {
		reply, _, err := client.Exchange(question, net.JoinHostPort(frontNetwork+"1", port))
		if err != nil {
			return err
		}
		if len(reply.Answer) == 1 {
			if a, ok := reply.Answer[0].(*dns.A); ok && a.A.String() == address {
				return nil
			}
		}
	}
	return errors.New("the answer didn't change to " + address)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
