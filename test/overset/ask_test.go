//go:build e2e

package overset

import (
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	// seen bounds the time from a change to its being seen in answers. The goal is 100 ms; this
	// machine does other things too.
	seen = time.Second
	// measured bounds the same for shares, which take thousands of queries.
	measured = 5 * time.Second
)

// Replies, as describe has them.
const (
	missing     = "NXDOMAIN"
	noData      = "NOERROR"
	unreachable = "SERVFAIL EDE22" // RFC 8914: No Reachable Authority
	filtered    = "SERVFAIL EDE17"
)

// describe returns a reply's records, sorted; before them the rcode where it isn't NOERROR or
// where there are none, and extended errors (RFC 8914).
func describe(m *dns.Msg) string {
	var all, values []string
	for _, rr := range m.Answer {
		values = append(values, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(values)
	if m.Rcode != dns.RcodeSuccess || len(values) == 0 {
		all = append(all, dns.RcodeToString[m.Rcode])
	}
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				all = append(all, fmt.Sprintf("EDE%d", e.InfoCode))
			}
		}
	}
	return strings.Join(append(all, values...), " ")
}

// both joins addresses, in the order that describe gives.
func both(addresses ...string) string {
	slices.Sort(addresses)
	return strings.Join(addresses, " ")
}

// answers returns nil where the reply is one of those, as describe has it.
func (v *server) answers(qtype uint16, name string, replies ...string) error {
	reply, err := harness.Ask(dns.Client{Timeout: harness.AskTimeout}, v.Addr, name, qtype)
	if err != nil {
		return err
	}
	if got := describe(reply); !slices.Contains(replies, got) {
		return fmt.Errorf("%q, want %q; the reply:\n%s", got, replies, reply)
	}
	return nil
}

// await waits for a reply with addresses.
func (v *server) await(name, reply string) {
	v.s.Helper()
	v.awaitType(dns.TypeA, name, reply)
}

func (v *server) awaitType(qtype uint16, name, reply string) {
	v.s.Helper()
	v.awaitWithin(seen, qtype, name, reply)
}

func (v *server) awaitWithin(limit time.Duration, qtype uint16, name, reply string) {
	v.s.Helper()
	harness.Eventually(v.s.T, limit, name+" "+dns.TypeToString[qtype], func() error { return v.answers(qtype, name, reply) })
}

const (
	// clients is how many a share is measured with.
	clients = 2000
	asking  = 8 // at the same time
)

// tolerance is five standard deviations of a share of so many percent.
func tolerance(percent float64) float64 {
	const rounding = 0.01
	return rounding + 5*math.Sqrt(percent*(100-percent)/clients)
}

// client is the address of a client.
func client(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 77, byte(i >> 8), byte(i)}) }

// askFrom asks from a client's address.
func (v *server) askFrom(from netip.Addr, name string) (*dns.Msg, error) {
	dialer := &net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: harness.AskTimeout}
	return harness.Ask(dns.Client{Dialer: dialer, Timeout: harness.AskTimeout}, v.Addr, name, dns.TypeA)
}

// shares returns how many percent of the clients get which reply.
func (v *server) shares(name string) (map[string]float64, error) {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		failed error
	)
	got := make(map[string]float64)
	for first := range asking {
		group.Go(func() {
			for i := first; i < clients; i += asking {
				reply, err := v.askFrom(client(i), name)
				mu.Lock()
				if err != nil {
					failed = err
				} else {
					got[describe(reply)] += 100. / clients
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return got, failed
}

// awaitShares waits until clients get those replies, each with a share in percent.
func (v *server) awaitShares(name string, want map[string]float64) {
	v.s.Helper()
	var got map[string]float64
	harness.Eventually(v.s.T, measured, name, func() (err error) {
		if got, err = v.shares(name); err != nil {
			return err
		}
		all := maps.Clone(got)
		maps.Copy(all, want)
		for reply := range all {
			if math.Abs(got[reply]-want[reply]) > tolerance(want[reply]) {
				return fmt.Errorf("replies in percent: %v, want %v", got, want)
			}
		}
		return nil
	})
	v.s.Logf("%s: replies in percent: %v", name, got)
}
