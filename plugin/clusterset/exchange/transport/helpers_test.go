package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const askedName = "Web.default.svc.cluster.local."

var errTest = errors.New("failed by the test")

func question(name string) *wire.Question {
	return &wire.Question{Name: name, Type: dns.TypeA, RecursionDesired: true}
}

func pack(t testing.TB, question *wire.Question) *wire.Query {
	t.Helper()
	q, err := wire.Pack(question)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// newTransport returns an upstream's transport for streams.
func newTransport(address model.Upstream, credentials *TLSConfig, dropped func(Drop)) Transport {
	_, streams := New(address, Options{TLS: credentials, Timeout: streamTimeout, Dropped: dropped})
	return streams
}

// testTLS returns a server's configuration, with a certificate for 127.0.0.1, and the
// client's that trusts it.
func testTLS(tb testing.TB) (*tls.Config, *TLSConfig) {
	tb.Helper()
	a := clustertest.NewAuthority(tb)
	return a.ServerTLS(tb, "127.0.0.1"), NewTLSConfig("", a.Pool(), nil)
}

// newCall returns a call with one message to be sent.
func newCall(q *wire.Query, at time.Time) (*Call, *Message) {
	c := new(Call)
	c.Begin(q)
	m := c.Add()
	m.At, m.Stream = at, true
	return c, m
}

func askStream(ctx context.Context, t Transport, timeout time.Duration) (*dns.Msg, error) {
	return askOver(ctx, t, question("web.default.svc.cluster.local."), timeout)
}

// askOver asks a transport, once.
func askOver(ctx context.Context, t Transport, question *wire.Question, timeout time.Duration) (*dns.Msg, error) {
	return askAt(ctx, t, question, timeout, time.Now())
}

// askAt is askOver at another time, as far as the transport knows.
func askAt(ctx context.Context, t Transport, question *wire.Question, timeout time.Duration, at time.Time) (*dns.Msg, error) {
	q, err := wire.Pack(question)
	if err != nil {
		return nil, err
	}
	defer q.Free()
	c, m := newCall(q, at)
	defer c.End()
	if err := t.Send(m); err != nil {
		return nil, err
	}
	o, err := c.Wait(ctx, timeout)
	switch {
	case err != nil:
		return nil, err
	case o.Message == nil:
		return nil, ErrNoReply
	}
	return o.Reply()
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
