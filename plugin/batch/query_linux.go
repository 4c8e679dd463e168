package batch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/batch/turn"
)

// A query is one that was read in a batch. It is what its handlers write to, as dns.Server's
// response is, and their context, as dnsserver.Server makes it; both in one allocation, since
// handlers may keep them.
type query struct {
	client
	batch  *batch // nil: it has a worker of its own
	server *server

	closed     bool
	timersOnly bool
	tsigStatus error
	requestMAC string
}

var (
	_ dns.ResponseWriter   = (*query)(nil)
	_ dns.ConnectionStater = (*query)(nil)
	_ turn.Holder          = (*query)(nil)
	_ context.Context      = queryContext{}
)

// queryContext is a query as a context. It isn't the query itself, since a writer's methods
// aren't a context's.
type queryContext struct{ q *query }

func (queryContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (queryContext) Done() <-chan struct{}       { return nil }
func (queryContext) Err() error                  { return nil }

func (c queryContext) Value(key any) any {
	switch key.(type) {
	case dnsserver.Key:
		return c.q.server.dns
	case dnsserver.LoopKey:
		return 0
	}
	if key == turn.Key {
		return c.q
	}
	return nil
}

// Yield passes the rest of the batch to another worker.
func (q *query) Yield() {
	if b := q.batch; b != nil && b.end(q) {
		q.passOn(q.server.metrics.waited)
	}
}

// passOn gives the batch to another worker; it has ended for q.
func (q *query) passOn(counter prometheus.Counter) {
	q.server.inFlight.Add(1) // until its handler returns
	counter.Inc()
	q.server.socket.pool.give(task{batch: q.batch})
}

func (q *query) LocalAddr() net.Addr  { return q.server.local }
func (q *query) RemoteAddr() net.Addr { return &q.addr }

// WriteMsg implements dns.ResponseWriter.
func (q *query) WriteMsg(m *dns.Msg) error {
	if q.closed {
		return errors.New("dns: WriteMsg called after Close")
	}
	if t := m.IsTsig(); t != nil {
		data, mac, err := q.server.sign(m, t, q.requestMAC, q.timersOnly)
		q.requestMAC = mac
		if err != nil {
			return err
		}
		return q.write(data)
	}
	data, err := m.PackBuffer(q.room())
	if err != nil {
		return err
	}
	return q.write(data)
}

// room returns room for a reply while a batch waits for the query, else nil.
func (q *query) room() []byte {
	if q.batch == nil {
		return nil
	}
	return q.batch.buffer(q)
}

// write hands data on, by what decorates the query, if something does.
func (q *query) write(data []byte) error {
	if q.server.decorate != nil {
		_, err := q.server.decorate(q).Write(data)
		return err
	}
	return q.send(data)
}

// Write implements dns.ResponseWriter, and dns.Writer. What it's given is the caller's.
func (q *query) Write(data []byte) (int, error) {
	if q.closed {
		return 0, errors.New("dns: Write called after Close")
	}
	return len(data), q.send(append(q.room()[:0], data...))
}

// send sends data, which is the batch's from here on: with the others' replies, or by itself
// where no batch waits for it any more.
func (q *query) send(data []byte) error {
	if q.batch != nil && q.batch.reply(q, data) {
		return nil
	}
	return sendOne(q.server.socket.raw, &q.client, data)
}

// TsigStatus implements dns.ResponseWriter.
func (q *query) TsigStatus() error { return q.tsigStatus }

// TsigTimersOnly implements dns.ResponseWriter.
func (q *query) TsigTimersOnly(only bool) { q.timersOnly = only }

// Hijack implements dns.ResponseWriter: as with dns.Server, it does nothing over UDP.
func (q *query) Hijack() {}

// Close implements dns.ResponseWriter: nothing more is written.
func (q *query) Close() error {
	if q.closed {
		return errors.New("dns: connection already closed")
	}
	q.closed = true
	return nil
}

// ConnectionState implements dns.ConnectionStater: there's no TLS.
func (q *query) ConnectionState() *tls.ConnectionState { return nil }
