package exchange

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestSilentConnection: what is sent into a connection that a firewall forgot is asked
// again on a new one, within the query's time, and the next queries aren't held up.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	config, credentials := testTLS(t)
	right := clustertest.ServeRaw(t, clustertest.As(clustertest.Addresses(1), clustertest.AsIs), clustertest.As(clustertest.Addresses(1), clustertest.AsIs))
	overTLS := clustertest.ServeTLS(t, clustertest.Loopback, config, right.Addr)
	tests := []struct {
		scheme model.Scheme
		wall   *clustertest.Relay
	}{
		{model.TCP, clustertest.NewRelay(t, right.Addr)},
		{model.DoT, clustertest.NewRelay(t, overTLS)},
		{model.HTTPS, clustertest.NewRelay(t, clustertest.ServeHTTPS(t, clustertest.Loopback, config, clustertest.AnswerHTTP))},
		{model.QUIC, clustertest.NewUDPRelay(t, clustertest.ServeQUIC(t, clustertest.Loopback, config, nil, clustertest.AnswerQUIC))},
	}
	for _, tt := range tests {
		t.Run(string(tt.scheme), func(t *testing.T) {
			t.Parallel()
			c := newClientOf(t, tt.scheme, credentials, tt.wall.Addr)
			asked := func() error {
				q := question(askedName)
				q.EDNS.Size, q.Deadline = DatagramSize, time.Now().Add(plenty)
				m, _, err := c.Exchange(t.Context(), q)
				if err == nil && len(m.Answer) != 1 {
					t.Errorf("got %v", m)
				}
				return err
			}
			if err := asked(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				clustertest.Tries(t, func() error { // a busy machine has some asked again
					before := tt.wall.Conns.Load()
					tt.wall.Forget()
					for range 3 {
						if err := asked(); err != nil {
							t.Errorf("into a silent connection: %v", err)
						}
					}
					if n := tt.wall.Conns.Load() - before; n < 1 || n > maxStreamAsks {
						return fmt.Errorf("%d new connections", n)
					}
					return nil
				})
			}
			if c.upstreams[0].health.down.Load() {
				t.Error("taken for down")
			}
		})
	}
}

// TestSilentStreamOfUDP: a client over TCP gets its answer of a dns:// upstream though the
// connection to it is silent: also one that is too large for UDP.
func TestSilentStreamOfUDP(t *testing.T) {
	for _, records := range []int{1, 400} {
		s := clustertest.ServeRaw(t, clustertest.Fitting(clustertest.Addresses(records)), clustertest.As(clustertest.Addresses(records), clustertest.AsIs))
		c, _ := newTestClient(t, Options{}, s.Addr)
		wall := clustertest.NewRelay(t, s.Addr)
		_, c.upstreams[0].streams = transport.New(model.Upstream{Scheme: model.TCP, Addr: wall.Addr}, transport.Options{})
		for range 2 {
			m, err := askSize(t, c, DatagramSize, true)
			if err != nil || m.Truncated || len(m.Answer) != records {
				t.Errorf("%d records: %v, %v", records, m, err)
			}
			wall.Forget()
		}
	}
}

// TestSlowStream: an upstream that is slow on a stream is waited for, and not asked time
// and again.
func TestSlowStream(t *testing.T) {
	var asked atomic.Int64
	late := after(transport.StreamStall*2, clustertest.Zone(t, zone))
	slow := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeSOA {
			asked.Add(1)
		}
		late(w, r)
	})
	c := newStreamClient(t, slow.Addr)
	m, err := ask(c, plenty)
	wantAddress(t, m, err)
	if n := asked.Load(); n > maxStreamAsks {
		t.Errorf("asked %d times", n)
	}
}
