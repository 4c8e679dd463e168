//go:build unix

package exchange

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/proxy"
	protocol "github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// echo is a member that costs next to nothing, and allocates nothing: it sends
// every question back with one address and, where the query has it, EDNS.
func echo(tb testing.TB) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20) // else a burst is lost, and asked again
	tb.Cleanup(func() { _ = conn.Close() })
	for range runtime.GOMAXPROCS(0) {
		go func() {
			buf := make([]byte, MaxSize)
			for {
				_, from, err := conn.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				_, _ = conn.WriteToUDPAddrPort(echoed(buf), from) // the client may be gone
			}
		}()
	}
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

var (
	echoAnswer = []byte{0xc0, wire.HeaderLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1}
	echoEDNS   = []byte{0, 0, byte(dns.TypeOPT), 4, 0xd0, 0, 0, 0, 0, 0, 0}
)

// echoed makes a query's reply in its place.
func echoed(buf []byte) []byte {
	buf[2] |= 0x80 // QR
	buf[7] = 1     // answer
	n := wire.HeaderLen
	for buf[n] != 0 {
		n += int(buf[n]) + 1
	}
	n += 5
	n += copy(buf[n:], echoAnswer)
	if buf[11] == 1 {
		n += copy(buf[n:], echoEDNS)
	}
	return buf[:n]
}

// inParallel runs ask, made anew for each goroutine, with few and with many
// queries in flight.
func inParallel(b *testing.B, newAsk func() (ask func() error)) {
	b.Helper()
	for _, parallelism := range []int{1, 32} {
		b.Run("inflight="+strconv.Itoa(parallelism*runtime.GOMAXPROCS(0)), func(b *testing.B) {
			b.SetParallelism(parallelism)
			b.ReportAllocs()
			before := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				ask := newAsk()
				for pb.Next() {
					if err := ask(); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is the process's user and system time: what a query costs is not how
// long it takes. The member's part is in it, the same for each transport.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkUDP is our client over UDP with all that stands around it: the choice of
// an upstream, its health, and metrics. BenchmarkProxyUDP, what CoreDNS's forward
// asks with, is what to compare it to.
func BenchmarkUDP(b *testing.B) {
	benchmarkClient(b, model.Upstream{Scheme: model.DNS, Addr: echo(b)}, nil)
}

func BenchmarkProxyUDP(b *testing.B) {
	benchmarkProxy(b, proxy.NewProxy("benchmark", echo(b).String(), protocol.DNS), &test.ResponseWriter{}, proxy.Options{})
}

// benchmarkClient asks the upstream through a Client.
func benchmarkClient(b *testing.B, u model.Upstream, config *transport.TLSConfig) {
	b.Helper()
	member := &model.Cluster{Name: "c1", ClusterDomain: "cluster.local.", DNS: []model.Upstream{u}}
	c := New(member, Options{Metrics: testMetrics(), Changed: func(model.Upstream, error) {}, Hedging: Hedging{Off: true}, TLS: config})
	defer c.Close()
	var asked atomic.Int64
	inParallel(b, func() func() error {
		q := question(fmt.Sprintf("web%d.default.svc.cluster.local.", asked.Add(1))) // equal ones would be asked once
		return func() error {
			q.Deadline = time.Now().Add(5 * time.Second)
			_, _, err := c.Exchange(context.Background(), q)
			return err
		}
	})
}

// benchmarkProxy asks with CoreDNS's proxy, which it starts and stops.
func benchmarkProxy(b *testing.B, p *proxy.Proxy, client dns.ResponseWriter, options proxy.Options) {
	b.Helper()
	p.Start(time.Second)
	runtime.SetFinalizer(p, nil) // it is stopped below
	defer func() {
		p.Stop()
		p.GetTransport().Stop()
	}()
	inParallel(b, func() func() error {
		state := request.Request{Req: new(dns.Msg).SetQuestion("web.default.svc.cluster.local.", dns.TypeA), W: client}
		return func() error {
			_, _, _, err := p.Connect(context.Background(), state, options)
			return err
		}
	})
}

// TestUDPAllocs is the budget of a query over UDP: two allocations, both for the
// reply, which is the caller's. One is the message, with its question and room for
// a record and EDNS; the other is the record with its address. Everything else is
// reused (the packet, the call with its channel and timer, the buffer that the
// reply is read into), or stays on the stack, as the Query does.
func TestUDPAllocs(t *testing.T) {
	budget := 2.0
	if underRace() {
		budget += 4 // sync.Pool then throws a part away, on purpose
	}
	c, _ := newTestClient(t, Options{}, echo(t))
	ask := func() {
		q := Query{Name: "web.default.svc.cluster.local.", Type: dns.TypeA, Deadline: time.Now().Add(5 * time.Second)}
		q.EDNS = EDNS{Size: dns.MinMsgSize, Option: Option{Code: dns.EDNS0LOCALSTART, Data: "\x01"}}
		if _, _, err := c.Exchange(context.Background(), &q); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // opens the sockets, fills the pools
		ask()
	}
	if n := testing.AllocsPerRun(1000, ask); n > budget {
		t.Errorf("%v allocations, want %v at most", n, budget)
	}
}

func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
