package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// testUpstream is an upstream, and the replies of it that were dropped.
type testUpstream struct {
	*clustertest.Upstream
	dropped [Drops]atomic.Int64
}

// streamTimeout is the longest that these queries may take.
const streamTimeout = clustertest.Plenty

// newStreamTest returns an upstream over TCP and the transport that asks it. Both end with
// the test, the upstream first: then nothing waits for it.
func newStreamTest(t *testing.T, serve func(*clustertest.Asked)) (*testUpstream, *streams) {
	t.Helper()
	u, s := newTest(t, model.TCP, serve)
	return u, s.(*streams)
}

// newTest is newStreamTest over any transport for streams.
func newTest(t *testing.T, scheme model.Scheme, serve func(*clustertest.Asked)) (*testUpstream, Transport) {
	t.Helper()
	var config *tls.Config
	var credentials *TLSConfig
	if scheme != model.TCP {
		config, credentials = testTLS(t)
	}
	u := new(testUpstream)
	u.Upstream = clustertest.NewUpstream(t, scheme, config, serve)
	s := newTransport(model.Upstream{Scheme: scheme, Addr: u.Addr}, credentials, func(why Drop) { u.dropped[why].Add(1) })
	t.Cleanup(func() {
		u.Stop()
		s.Close()
	})
	return u, s
}

// replyWith replies with what change makes of the right reply.
func replyWith(change func(*dns.Msg)) func(*clustertest.Asked) {
	return func(a *clustertest.Asked) {
		m := new(dns.Msg)
		m.SetReply(a.Query)
		rr, _ := dns.NewRR(a.Query.Question[0].Name + " 5 IN A 10.101.0.1")
		m.Answer = []dns.RR{rr}
		change(m)
		a.Reply(m)
	}
}

var replyRight = (*clustertest.Asked).Answer

// TestStreamReplies: whatever an upstream does, the query ends by its deadline,
// and what doesn't answer the question is waited past.
func TestStreamReplies(t *testing.T) {
	const silence, canceled = "no reply", "context canceled"
	tests := []struct {
		name  string
		serve func(*clustertest.Asked)
		err   error  // nil for an answer
		text  string // the error's
		drop  Drop   // counted once, unless it is Drops
	}{
		{"right", replyRight, nil, "", Drops},
		{"in another case", replyWith(func(m *dns.Msg) { m.Question[0].Name = "WEB.default.svc.cluster.local." }), nil, "", Drops},
		{"accepts and never answers", func(*clustertest.Asked) {}, ErrNoReply, silence, Drops},
		{"another id", replyWith(func(m *dns.Msg) { m.Id++ }), context.Canceled, canceled, DropUnknown},
		{"closes", (*clustertest.Asked).Close, io.EOF, "EOF", Drops},
		{"closes in the middle of a frame", func(a *clustertest.Asked) {
			_, _ = a.Write([]byte{0, 100, 1, 2, 3})
			a.Close()
		}, io.ErrUnexpectedEOF, "unexpected EOF", Drops},
		{"stops in the middle of a frame", func(a *clustertest.Asked) { _, _ = a.Write([]byte{0, 100, 1, 2, 3}) }, ErrNoReply, silence, Drops},
		{"another name", replyWith(func(m *dns.Msg) { m.Question[0].Name = "wev.default.svc.cluster.local." }), context.Canceled, canceled, DropQuestion},
		{"another type", replyWith(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }), context.Canceled, canceled, DropQuestion},
		{"another class", replyWith(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), context.Canceled, canceled, DropQuestion},
		{"no question", replyWith(func(m *dns.Msg) { m.Question = nil }), context.Canceled, canceled, DropQuestion},
		{"two questions", replyWith(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), context.Canceled, canceled, DropQuestion},
		{"a query", replyWith(func(m *dns.Msg) { m.Response = false }), context.Canceled, canceled, DropQuestion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, s := newStreamTest(t, tt.serve)
			timeout := clustertest.Plenty
			if tt.text == silence && tt.drop == Drops {
				timeout = 300 * time.Millisecond
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if tt.drop != Drops { // the query waits on, until it is given up
				go func() {
					clustertest.WaitFor(t, func() bool { return u.dropped[tt.drop].Load() > 0 })
					cancel()
				}()
			}
			start := time.Now()
			m, err := askStream(ctx, s, timeout)
			took := time.Since(start)
			for why := range Drops {
				if n := u.dropped[why].Load(); (n == 1) != (why == tt.drop) {
					t.Errorf("%d replies dropped as %s", n, why)
				}
			}
			if tt.err == nil {
				wantAddress(t, m, err)
				return
			}
			if m != nil || err == nil || err.Error() != tt.text || !errors.Is(err, tt.err) {
				t.Errorf("reply %v, error %v; want %s", m, err, tt.text)
			}
			if tt.text == silence && tt.drop == Drops && took < timeout {
				t.Errorf("took %v, want %v", took, timeout)
			}
		})
	}
}

// TestManyKeptConnections: an upstream that was started again has closed all the
// connections that were kept to it, and the next query is answered.
func TestManyKeptConnections(t *testing.T) {
	const many = streamConns
	var arrived sync.WaitGroup
	arrived.Add(many)
	u, s := newStreamTest(t, func(a *clustertest.Asked) {
		if a.Query.Question[0].Qtype == dns.TypeTXT { // of the burst: each on a connection of its own
			arrived.Done()
			arrived.Wait()
		}
		a.Answer()
	})
	var asked sync.WaitGroup
	for range many {
		asked.Go(func() {
			q := question("web.default.svc.cluster.local.")
			q.Type = dns.TypeTXT
			if _, err := askOver(context.Background(), s, q, streamTimeout); err != nil {
				t.Error(err)
			}
		})
	}
	asked.Wait()
	if n := u.Drop(); n < many {
		t.Fatalf("%d connections, want %d", n, many)
	}
	if _, err := askStream(context.Background(), s, streamTimeout); err != nil {
		t.Error(err)
	}
}
