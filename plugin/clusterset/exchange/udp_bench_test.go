//go:build unix

package exchange

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// echo is a member that costs next to nothing, and allocates nothing: it sends
// every query back as its reply, with one address.
func echo(tb testing.TB) netip.AddrPort {
	tb.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20) // else a burst is lost, and asked again
	tb.Cleanup(func() { _ = conn.Close() })
	answer := []byte{0xc0, headerLen, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 101, 0, 1}
	for range runtime.GOMAXPROCS(0) {
		go func() {
			buf := make([]byte, MaxSize)
			for {
				n, from, err := conn.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				buf[2] |= flagReply
				buf[7] = 1 // answer
				n += copy(buf[n:], answer)
				_, _ = conn.WriteToUDPAddrPort(buf[:n], from) // the client may be gone
			}
		}()
	}
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// askUDP is one query as a Client's attempt makes it: packed, sent, its reply
// parsed.
func askUDP(t *udpTransport, q *dns.Msg) error {
	w, err := newWire(q)
	if err != nil {
		return err
	}
	_, _, err = t.exchange(context.Background(), w, time.Now().Add(5*time.Second), func() {})
	return err
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

// BenchmarkUDP is our transport; BenchmarkProxyUDP, what CoreDNS's forward asks
// with, is what to compare it to.
func BenchmarkUDP(b *testing.B) {
	t := newUDP(echo(b), func() {})
	defer t.close()
	inParallel(b, func() func() error {
		q := question("web.default.svc.cluster.local.")
		return func() error { return askUDP(t, q) }
	})
}

// BenchmarkClientUDP is our transport with all that stands around it: the choice
// of an upstream, its health, and metrics, which the proxy has too.
func BenchmarkClientUDP(b *testing.B) {
	member := &model.Cluster{Name: "c1", ClusterDomain: "cluster.local.", DNS: []model.Upstream{{Scheme: model.DNS, Addr: echo(b)}}}
	c := New(member, Options{Metrics: testMetrics(), Changed: func(model.Upstream, error) {}})
	defer c.Close()
	inParallel(b, func() func() error {
		q := question("web.default.svc.cluster.local.")
		return func() error {
			_, _, err := c.Exchange(context.Background(), &Query{Msg: q, Deadline: time.Now().Add(5 * time.Second)})
			return err
		}
	})
}

func BenchmarkProxyUDP(b *testing.B) {
	p := proxy.NewProxy("benchmark", echo(b).String(), transport.DNS)
	p.Start(time.Second)
	runtime.SetFinalizer(p, nil) // as in stream.go
	defer func() {
		p.Stop()
		p.GetTransport().Stop()
	}()
	inParallel(b, func() func() error {
		state := request.Request{Req: question("web.default.svc.cluster.local."), W: &test.ResponseWriter{}}
		return func() error {
			_, _, _, err := p.Connect(context.Background(), state, proxy.Options{})
			return err
		}
	})
}

// TestUDPAllocs is the budget of a query over UDP: packing it makes two
// allocations (the message, and where its question is), parsing the reply eight
// (the message, question, two names, answers, a record, its header, its
// address). The transport itself makes none: calls and buffers are reused, and
// who waits does so on a channel and a timer that are.
func TestUDPAllocs(t *testing.T) {
	budget := 10.0
	if underRace() {
		budget += 3 // sync.Pool then throws a part away, on purpose
	}
	u := newUDP(echo(t), func() {})
	defer u.close()
	q := question("web.default.svc.cluster.local.")
	ask := func() {
		if err := askUDP(u, q); err != nil {
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
