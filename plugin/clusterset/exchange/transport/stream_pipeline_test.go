package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// gate holds the queries that come until there are as many as wanted, and then
// hands them over.
type gate struct {
	want int
	full chan []*clustertest.Asked

	mu   sync.Mutex
	held []*clustertest.Asked
}

func newGate(want int) *gate { return &gate{want: want, full: make(chan []*clustertest.Asked, 1)} }

func (g *gate) hold(a *clustertest.Asked) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held = append(g.held, a); len(g.held) == g.want {
		g.full <- g.held
	}
}

// askMany asks n times at once, and wants as many answers. However busy the machine
// is, no time passes between them, so that no connection is held up.
func askMany(t *testing.T, s Transport, n int) *sync.WaitGroup {
	t.Helper()
	var asked sync.WaitGroup
	at := time.Now()
	for range n {
		asked.Go(func() {
			m, err := askAt(context.Background(), s, question("web.default.svc.cluster.local."), clustertest.Plenty, at)
			if err != nil || len(m.Answer) != 1 {
				t.Errorf("reply %v, error %v", m, err)
			}
		})
	}
	return &asked
}

// openConns is how many connections take queries.
func (t *streams) openConns() (n int) {
	for _, s := range t.all() {
		if s.load(time.Now(), time.Time{}).open {
			n++
		}
	}
	return n
}

// gone waits until no connection is left.
func gone(t *testing.T, s *streams) {
	t.Helper()
	clustertest.WaitFor(t, func() bool { return len(s.all()) == 0 })
}

// TestStreamReused: one query after the other needs one connection.
func TestStreamReused(t *testing.T) {
	u, s := newStreamTest(t, replyRight)
	for range 20 {
		m, err := askStream(context.Background(), s, streamTimeout)
		wantAddress(t, m, err)
	}
	if n := u.Seen(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestStreamSlowAnswer: a server that answers one query after the other, as CoreDNS
// does, and is slow with one, holds up no other: not while another connection may be
// opened, and after a moment not even then.
func TestStreamSlowAnswer(t *testing.T) {
	var slow atomic.Int32
	arrived, release := make(chan struct{}, streamConns), make(chan struct{})
	u, s := newStreamTest(t, func(a *clustertest.Asked) {
		if slow.Add(1) <= streamConns {
			arrived <- struct{}{}
			<-release
		}
		a.Answer()
	})
	first := make([]*sync.WaitGroup, 0, streamConns)
	for i := range streamConns {
		first = append(first, askMany(t, s, 1))
		<-arrived
		if n := u.Seen(); n != i+1 {
			t.Fatalf("%d connections for %d slow answers", n, i+1)
		}
	}
	later := time.Now().Add(2 * StreamStall)
	for range 2 {
		m, err := askAt(context.Background(), s, question("web.default.svc.cluster.local."), streamTimeout, later)
		wantAddress(t, m, err)
	}
	if n := u.Seen(); n != streamConns+1 {
		t.Errorf("%d connections, want %d", n, streamConns+1)
	}
	close(release)
	for _, asked := range first {
		asked.Wait()
	}
}

// TestStreamRestart: an upstream that is started again while queries are in flight
// on connections that had answered gets them once more.
func TestStreamRestart(t *testing.T) {
	const many = 100
	first, second := newGate(streamConns), newGate(many)
	var asks atomic.Int32
	u, s := newStreamTest(t, func(a *clustertest.Asked) {
		switch n := asks.Add(1); {
		case n <= streamConns: // each opens a connection
			first.hold(a)
		case n <= streamConns+many:
			second.hold(a)
		default:
			a.Answer()
		}
	})
	asked := askMany(t, s, streamConns)
	for _, q := range <-first.full {
		q.Answer()
	}
	asked.Wait()
	asked = askMany(t, s, many)
	<-second.full
	if n := u.Drop(); n != streamConns {
		t.Fatalf("%d connections, want %d", n, streamConns)
	}
	asked.Wait()
	if n := asks.Load(); n != streamConns+2*many {
		t.Errorf("%d queries came, want each once more", n)
	}
}

// TestEndsUnused: a connection that is closed because nobody waits takes no query any
// more: that would end with it, and wasn't asked.
func TestEndsUnused(t *testing.T) {
	idle := time.Now().Add(-time.Hour)
	tests := map[string]func() (send func(*Message) bool, end, free func()){
		"closed by the upstream": func() (func(*Message) bool, func(), func()) {
			s, _ := newStreamConn(newStreams(model.Upstream{}, nil, nil))
			return s.send, func() { s.redial(io.EOF) }, func() {}
		},
		"idle": func() (func(*Message) bool, func(), func()) {
			transport := newStreams(model.Upstream{}, nil, nil)
			s, _ := newStreamConn(transport)
			s.usedAt, transport.conns = idle, []*streamConn{s}
			return s.send, func() { transport.sweep(time.Now()) }, func() {}
		},
		"a retired socket": func() (func(*Message) bool, func(), func()) {
			conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
			if err != nil {
				t.Fatal(err)
			}
			s := newUDPSocket(conn, nil)
			return func(m *Message) bool { return s.send(m) == nil }, s.retire, func() { _ = conn.Close() }
		},
	}
	for name, connect := range tests {
		t.Run(name, func(t *testing.T) {
			q := pack(t, question("web.default.svc.cluster.local."))
			for range 5000 {
				send, end, free := connect()
				c, m := newCall(q, time.Now())
				var ended sync.WaitGroup
				ended.Go(end)
				sent := send(m)
				ended.Wait()
				free()
				if sent && len(c.outcomes) > 0 {
					t.Fatal("a query was taken, and not asked: ", (<-c.outcomes).err)
				}
			}
		})
	}
}

// TestStreamOneAnswerEach: an upstream that closes each connection after one answer
// answers every query nevertheless.
func TestStreamOneAnswerEach(t *testing.T) {
	var answered sync.Map
	_, s := newStreamTest(t, func(a *clustertest.Asked) {
		if _, before := answered.LoadOrStore(a.Conn, true); before {
			return
		}
		a.Answer()
		_ = a.Conn.(*net.TCPConn).CloseWrite() // gone already
	})
	askMany(t, s, 5*streamConns).Wait()
}

// TestStreamClosedUnanswered: an upstream that closes a new connection is asked on
// another one, once.
func TestStreamClosedUnanswered(t *testing.T) {
	for _, tt := range []struct {
		name   string
		closes int32
		err    error
	}{
		{"one of several is gone", 1, nil},
		{"all are", 100, io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asks atomic.Int32
			u, s := newStreamTest(t, func(a *clustertest.Asked) {
				if asks.Add(1) <= tt.closes {
					a.Close()
					return
				}
				a.Answer()
			})
			m, err := askStream(context.Background(), s, streamTimeout)
			if tt.err == nil {
				wantAddress(t, m, err)
			} else if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if n := u.Seen(); n != 2 {
				t.Errorf("%d connections, want 2", n)
			}
		})
	}
}

// TestStreamFails: what was in flight fails with the error given, and the next query
// has a new connection.
func TestStreamFails(t *testing.T) {
	var asks atomic.Int32
	arrived := make(chan struct{}, 1)
	u, s := newStreamTest(t, func(a *clustertest.Asked) {
		if asks.Add(1) == 1 {
			arrived <- struct{}{}
			return
		}
		a.Answer()
	})
	failed := make(chan error)
	go func() {
		_, err := askStream(context.Background(), s, time.Minute)
		failed <- err
	}()
	<-arrived
	s.Fail(errTest)
	if err := <-failed; !errors.Is(err, errTest) {
		t.Errorf("failed with %v", err)
	}
	m, err := askStream(context.Background(), s, streamTimeout)
	wantAddress(t, m, err)
	if n := u.Seen(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// TestStreamIdle: a connection is closed when nothing was asked on it for a while,
// and not before; so is its keeper.
func TestStreamIdle(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	u, s := newStreamTest(t, replyRight)
	_, err := askStream(context.Background(), s, streamTimeout)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Add(time.Hour) // the real keeper's looks then change nothing
	s.sweep(now)                     // sees that it was used
	s.sweep(now.Add(streamIdle - 1))
	if n := s.openConns(); n != 1 {
		t.Fatalf("%d connections", n)
	}
	s.sweep(now.Add(streamIdle))
	gone(t, s)
	m, err := askStream(context.Background(), s, streamTimeout)
	wantAddress(t, m, err)
	if n := u.Seen(); n != 2 {
		t.Errorf("%d connections, want another one", n)
	}
	s.Close()
	u.Stop()
	goleak.VerifyNone(t, ignore)
}

// TestStreamHung: a connection on which a query was never answered isn't used for
// ever, though the query is over.
func TestStreamHung(t *testing.T) {
	_, s := newStreamTest(t, func(*clustertest.Asked) {})
	start := time.Now()
	if _, err := askStream(context.Background(), s, 100*time.Millisecond); !errors.Is(err, ErrNoReply) {
		t.Fatal(err)
	}
	s.sweep(start.Add(streamHung - time.Millisecond))
	if n := s.openConns(); n != 1 {
		t.Fatalf("%d connections", n)
	}
	s.sweep(time.Now().Add(streamHung))
	gone(t, s)
}

// TestStreamUnread: an upstream that doesn't read costs a bounded queue, and no
// query's goroutine waits to write.
func TestStreamUnread(t *testing.T) {
	ours, theirs := net.Pipe() // has no buffer: the first write waits
	defer theirs.Close()
	s, _ := newStreamConn(newStreams(model.Upstream{}, nil, nil))
	s.opened(ours)
	var running sync.WaitGroup
	running.Go(func() { s.write(ours) })
	running.Go(func() { _ = s.read(ours) })
	q := pack(t, question("web.default.svc.cluster.local."))
	var sent []*Call
	for {
		c, m := newCall(q, time.Now())
		if !s.send(m) {
			break
		}
		sent = append(sent, c)
	}
	size := len(q.As(wire.Usual))
	if n := len(sent) * (size + frameLen); n < streamQueue || n > 2*streamQueue+size { // one written, one queued
		t.Errorf("%d bytes taken, want %d", n, streamQueue)
	}
	for _, c := range sent {
		if o := <-c.outcomes; !errors.Is(o.err, ErrUnread) {
			t.Fatalf("error %v", o.err)
		}
	}
	running.Wait()
}

// TestStreamFrames: whatever comes before the right reply, and in whatever pieces, is
// passed over and counted.
func TestStreamFrames(t *testing.T) {
	framed := func(msg []byte) []byte {
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
	}
	of := func(query *dns.Msg, change func(*dns.Msg)) []byte {
		m := new(dns.Msg).SetReply(query)
		change(m)
		msg, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		return msg
	}
	unknown := func(size int) func(*dns.Msg) []byte {
		return func(query *dns.Msg) []byte {
			return append(of(query, func(m *dns.Msg) { m.Id++ }), make([]byte, size)...)
		}
	}
	large := func(change func(*dns.Msg)) func(*dns.Msg) []byte {
		return func(query *dns.Msg) []byte {
			return of(query, func(m *dns.Msg) {
				change(m)
				for range 200 {
					m.Extra = append(m.Extra, &dns.TXT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{strings.Repeat("x", 200)}})
				}
			})
		}
	}
	tests := []struct {
		name string
		msg  func(*dns.Msg) []byte
		drop Drop
	}{
		{"nothing", func(*dns.Msg) []byte { return nil }, DropShort},
		{"a byte", func(*dns.Msg) []byte { return []byte{1} }, DropShort},
		{"half a header", func(q *dns.Msg) []byte { return of(q, func(*dns.Msg) {})[:wire.HeaderLen-1] }, DropShort},
		{"a header", func(q *dns.Msg) []byte { return of(q, func(*dns.Msg) {})[:wire.HeaderLen] }, DropQuestion},
		{"an unknown id", unknown(0), DropUnknown},
		{"a large one with an unknown id", unknown(60000), DropUnknown},
		{"a large one to another question", large(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }), DropQuestion},
		{"a large one that is right", large(func(m *dns.Msg) {
			rr, _ := dns.NewRR(m.Question[0].Name + " 5 IN A 10.101.0.1")
			m.Answer = []dns.RR{rr}
		}), DropUnknown}, // the second one comes late
	}
	for _, tt := range tests {
		for _, pieces := range []bool{false, true} {
			name := tt.name
			if pieces {
				name += ", in pieces"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				u, s := newStreamTest(t, func(a *clustertest.Asked) {
					frames := framed(tt.msg(a.Query))
					right := of(a.Query, func(m *dns.Msg) {
						rr, _ := dns.NewRR(m.Question[0].Name + " 5 IN A 10.101.0.1")
						m.Answer = []dns.RR{rr}
					})
					frames = append(frames, framed(right)...)
					size := len(frames)
					if pieces {
						size = 7
					}
					for piece := range slices.Chunk(frames, size) {
						_, _ = a.Write(piece) // the client has the answer, and may be gone
					}
				})
				for range 2 { // the connection is as good as before
					m, err := askStream(context.Background(), s, streamTimeout)
					wantAddress(t, m, err)
				}
				if u.dropped[tt.drop].Load() == 0 || u.Seen() != 1 {
					t.Errorf("%d dropped, %d connections", u.dropped[tt.drop].Load(), u.Seen())
				}
			})
		}
	}
}

// TestStreamResumes: a TLS session is resumed by the next connection (RFC 8446,
// section 2.2), which saves the certificates.
func TestStreamResumes(t *testing.T) {
	resumed := make(chan bool, 2)
	u, of := newTest(t, model.DoT, func(a *clustertest.Asked) {
		resumed <- a.Conn.(*tls.Conn).ConnectionState().DidResume
		a.Answer()
	})
	s := of.(*streams)
	for _, want := range []bool{false, true} {
		m, err := askStream(context.Background(), s, streamTimeout)
		wantAddress(t, m, err)
		if got := <-resumed; got != want {
			t.Errorf("resumed %v, want %v", got, want)
		}
		u.Drop()
		gone(t, s)
	}
}
