package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const zone = `
cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
web.default.svc.cluster.local. 5 IN A 10.101.0.1
`

func testMetrics() Metrics {
	counter := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{}) }
	return Metrics{
		Rejected: counter(), Coalesced: counter(),
		Upstream: func(model.Upstream) UpstreamMetrics {
			m := UpstreamMetrics{
				Ejections: counter(), Duration: prometheus.NewHistogram(prometheus.HistogramOpts{}),
				Retransmitted: counter(), Hedged: counter(), HedgesWon: counter(),
			}
			for _, counters := range [][]prometheus.Counter{m.Replies[:], m.Failed[:], m.Dropped[:]} {
				for i := range counters {
					counters[i] = counter()
				}
			}
			return m
		},
	}
}

const plenty = clustertest.Plenty

// changes are the upstreams' changes of state, as they are told.
type changes chan string

func (c changes) told(u model.Upstream, err error) {
	if err != nil {
		c <- u.Addr.String() + " down"
		return
	}
	c <- u.Addr.String() + " up"
}

func (c changes) wait(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-c:
		if got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	case <-time.After(plenty):
		t.Fatalf("not told %q", want)
	}
}

func newTestClient(t *testing.T, options Options, upstreams ...netip.AddrPort) (*Client, changes) {
	t.Helper()
	member := &model.Cluster{Name: "c1", ClusterDomain: "cluster.local."}
	for _, addr := range upstreams {
		member.DNS = append(member.DNS, model.Upstream{Scheme: model.DNS, Addr: addr})
	}
	told := make(changes, 100)
	options.Metrics, options.Changed = testMetrics(), told.told
	if options.Timeout == 0 {
		options.Timeout = 2 * time.Second
	}
	options.Ejected = func(model.Upstream, time.Duration, error) {}
	c := New(member, options)
	t.Cleanup(c.Close)
	return c, told
}

func question(name string) *Query {
	return &Query{Name: name, Type: dns.TypeA, RecursionDesired: true, Deadline: time.Now().Add(plenty)}
}

func ask(c *Client, timeout time.Duration) (*dns.Msg, error) {
	q := question("web.default.svc.cluster.local.")
	q.Deadline = time.Now().Add(timeout)
	m, _, err := c.Exchange(context.Background(), q)
	return m, err
}

func wantAddress(t *testing.T, m *dns.Msg, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Answer) != 1 || m.Answer[0].(*dns.A).A.String() != "10.101.0.1" {
		t.Fatalf("got %v", m.Answer)
	}
}

func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	failure, ok := errors.AsType[*Error](err)
	if !ok || failure.Reason != want {
		t.Fatalf("error %v, want %s", err, want)
	}
}

func TestExchange(t *testing.T) {
	good := clustertest.Serve(t, clustertest.Zone(t, zone))
	c, _ := newTestClient(t, Options{}, good.Addr)
	q := question("WEB.default.svc.cluster.local.")
	m, from, err := c.Exchange(context.Background(), q)
	wantAddress(t, m, err)
	if m.Id != 0 || m.Question[0] != (dns.Question{Name: q.Name, Qtype: dns.TypeA, Qclass: dns.ClassINET}) || from.Addr != good.Addr {
		t.Errorf("id %d, question %v from %s", m.Id, m.Question, from)
	}
	q.TCP = true
	m, _, err = c.Exchange(context.Background(), q)
	wantAddress(t, m, err)
	if good.UDP.Load() != 1 || good.TCP.Load() != 1 {
		t.Errorf("%d over UDP, %d over TCP", good.UDP.Load(), good.TCP.Load())
	}
}

// TestFailover: whatever the first upstream does, the second one's answer is
// given, within the time.
func TestFailover(t *testing.T) {
	t.Parallel()
	closed := clustertest.Serve(t, clustertest.Silence)
	closed.Stop()
	tests := []struct {
		name  string
		first netip.AddrPort
	}{
		{"SERVFAIL", clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure)).Addr},
		{"REFUSED", clustertest.Serve(t, clustertest.Rcode(dns.RcodeRefused)).Addr},
		{"silence", clustertest.Serve(t, clustertest.Silence).Addr},
		{"a closed port", closed.Addr},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			good := clustertest.Serve(t, clustertest.Zone(t, zone))
			c, told := newTestClient(t, Options{}, tt.first, good.Addr)
			for range 2 { // both upstreams have their turn
				m, err := ask(c, plenty)
				wantAddress(t, m, err)
			}
			told.wait(t, tt.first.String()+" down")
			clustertest.Within(t, 200*time.Millisecond, func() { // one known to be down costs nothing
				for range 2 {
					m, err := ask(c, plenty)
					wantAddress(t, m, err)
				}
			})
		})
	}
}

func TestDownAndBack(t *testing.T) {
	good := clustertest.Serve(t, clustertest.Zone(t, zone))
	c, told := newTestClient(t, Options{}, good.Addr)
	clustertest.Tries(t, func() error {
		good.Stop()
		_, err := ask(c, plenty)
		wantReason(t, err, Network)
		told.wait(t, good.Addr.String()+" down")
		clustertest.Within(t, 50*time.Millisecond, func() {
			_, err := ask(c, plenty)
			wantReason(t, err, Down)
		})
		good = clustertest.ServeAt(t, good.Addr, clustertest.Zone(t, zone))
		start := time.Now()
		told.wait(t, good.Addr.String()+" up")
		took := time.Since(start)
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
		if took > 2*time.Second {
			return fmt.Errorf("back after %v, want 2s at most", took)
		}
		return nil
	})
}

func TestDeadline(t *testing.T) {
	silent := clustertest.Serve(t, clustertest.Silence)
	second := clustertest.Serve(t, clustertest.Silence)
	for name, tcp := range map[string]bool{"udp": false, "tcp": true} {
		t.Run(name, func(t *testing.T) {
			clustertest.Within(t, 600*time.Millisecond, func() {
				c, _ := newTestClient(t, Options{}, silent.Addr, second.Addr)
				start := time.Now()
				_, _, err := c.Exchange(context.Background(), &Query{Name: "a.", Type: dns.TypeA, TCP: tcp, Deadline: start.Add(300 * time.Millisecond)})
				wantReason(t, err, NoReply)
				if took := time.Since(start); took < 290*time.Millisecond {
					t.Errorf("took %v, want 300ms", took)
				}
			})
		})
	}
}

func TestContext(t *testing.T) {
	silent := clustertest.Serve(t, clustertest.Silence)
	c, _ := newTestClient(t, Options{}, silent.Addr)
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	_, _, err := c.Exchange(ctx, &Query{Name: "a.", Type: dns.TypeA, Deadline: time.Now().Add(time.Minute)})
	wantReason(t, err, Canceled)
}

// TestRetransmit: a packet that is lost costs the retransmission timeout, not the query.
func TestRetransmit(t *testing.T) {
	answer := clustertest.Zone(t, zone)
	var lose atomic.Bool
	lossy := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if !lose.Swap(false) {
			answer(w, r)
		}
	})
	clustertest.Within(t, 2*unknownRTO, func() {
		c, _ := newTestClient(t, Options{}, lossy.Addr)
		lose.Store(true)
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
	})
}

func TestInflight(t *testing.T) {
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	answer := clustertest.Zone(t, zone)
	held := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		arrived <- struct{}{}
		<-release
		answer(w, r)
	})
	c, _ := newTestClient(t, Options{Inflight: NewInflight(2)}, held.Addr)
	var asked sync.WaitGroup
	for range 2 {
		asked.Go(func() {
			if _, err := ask(c, plenty); err != nil {
				t.Error(err)
			}
		})
		<-arrived
	}
	_, err := ask(c, plenty)
	wantReason(t, err, Busy)
	close(release)
	asked.Wait()
	m, err := ask(c, plenty)
	wantAddress(t, m, err)
}

func TestTruncated(t *testing.T) {
	whole := clustertest.Zone(t, zone)
	handler := func(w dns.ResponseWriter, r *dns.Msg) {
		if w.RemoteAddr().Network() == "tcp" {
			whole(w, r)
			return
		}
		m := new(dns.Msg)
		m.SetReply(r)
		m.Truncated = true
		_ = w.WriteMsg(m)
	}
	server := clustertest.Serve(t, handler)
	c, _ := newTestClient(t, Options{}, server.Addr)
	m, err := ask(c, plenty)
	if err != nil || !m.Truncated || server.TCP.Load() != 0 {
		t.Errorf("a client that can't take more: %v, %v", m, err)
	}
	q := question("web.default.svc.cluster.local.")
	q.EDNS.Size = 1232
	m, _, err = c.Exchange(context.Background(), q)
	wantAddress(t, m, err)
	if m.Truncated {
		t.Error("still truncated")
	}
}

// TestCloseInFlight: a client that is closed fails what is in flight, at once.
func TestCloseInFlight(t *testing.T) {
	arrived := make(chan struct{}, 10)
	silent := clustertest.Serve(t, func(dns.ResponseWriter, *dns.Msg) { arrived <- struct{}{} })
	c, _ := newTestClient(t, Options{}, silent.Addr)
	failed := make(chan error)
	go func() {
		_, err := ask(c, time.Minute)
		failed <- err
	}()
	<-arrived
	c.Close()
	if err := <-failed; err == nil {
		t.Error("no error")
	}
	if _, err := ask(c, time.Second); err == nil {
		t.Error("a closed client answers")
	}
}

func collected(c prometheus.Collector) float64 { return testutil.ToFloat64(c) }

// testTLS returns a server's configuration, with a certificate for 127.0.0.1, and the
// client's that trusts it.
func testTLS(tb testing.TB) (*tls.Config, *transport.TLSConfig) {
	tb.Helper()
	a := clustertest.NewAuthority(tb)
	return a.ServerTLS(tb, "127.0.0.1"), transport.NewTLSConfig("", a.Pool(), nil)
}

const askedName = "Web.default.svc.cluster.local."

// askSize asks for askedName.
func askSize(t *testing.T, c *Client, size uint16, tcp bool) (*dns.Msg, error) {
	t.Helper()
	q := question(askedName)
	q.TCP, q.EDNS.Size = tcp, size
	m, _, err := c.Exchange(t.Context(), q)
	return m, err
}

// TestUnsendable: what can't be packed is an error of its own.
func TestUnsendable(t *testing.T) {
	c, _ := newTestClient(t, Options{})
	for _, name := range []string{"", "cluster.local", strings.Repeat("a", 64) + "."} {
		_, _, err := c.Exchange(t.Context(), question(name))
		wantReason(t, err, Unsendable)
	}
}
