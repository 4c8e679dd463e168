package batch

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// queryAllocs is what a query may allocate in CoreDNS and here, besides its plugins: the query
// itself, its message with its question and name, and what dnsserver makes of it. dns.Server's
// own way takes twice as many.
const queryAllocs = 6

func TestAllocations(t *testing.T) {
	f := newFlow(t)
	got := testing.AllocsPerRun(100, f.round) / maxBatch
	if got > queryAllocs {
		t.Errorf("a query allocates %.2f times, not %d", got, queryAllocs)
	}
}

func BenchmarkQuery(b *testing.B) {
	f := newFlow(b)
	b.ReportAllocs()
	for b.Loop() {
		f.round()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxBatch, "ns/query")
}

// A flow is a client, and a socket that nothing else reads.
type flow struct {
	tb     testing.TB
	client *net.UDPConn
	socket *socket
	server *server
	batch  *batch
	query  []byte
	reply  [512]byte
}

func newFlow(tb testing.TB) *flow {
	tb.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	port := conn.LocalAddr().(*net.UDPAddr).Port
	s, err := newSocket("", conn, 1)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.file.Close() })
	reply := new(dns.Msg)
	config := &dnsserver.Config{Zone: ".", Plugin: []plugin.Plugin{func(plugin.Handler) plugin.Handler {
		return plugin.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			reply.MsgHdr, reply.Question = r.MsgHdr, r.Question
			reply.Response = true
			return dns.RcodeSuccess, w.WriteMsg(reply)
		})
	}}}
	address := "127.0.0.1:" + strconv.Itoa(port)
	of, err := dnsserver.NewServer("dns://"+address, []*dnsserver.Config{config})
	if err != nil {
		tb.Fatal(err)
	}
	f := &flow{tb: tb, socket: s, batch: s.batches[0], query: question("web.default.svc.c1.example.", dns.TypeA)}
	f.server = &server{dns: of, accept: dns.DefaultMsgAcceptFunc, socket: s, local: s.local, metrics: newCounts(of.Addr)}
	s.serve(f.server)
	if f.client, err = net.DialUDP("udp", nil, s.local); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.client.Close() })
	return f
}

// round has a batch of queries sent, answered and received.
func (f *flow) round() {
	for range maxBatch {
		if _, err := f.client.Write(f.query); err != nil {
			f.tb.Fatal(err)
		}
	}
	if f.batch.fill(f.socket); f.batch.in.n != maxBatch {
		f.tb.Fatalf("%d packets", f.batch.in.n)
	}
	f.batch.serving = f.socket.enter()
	f.batch.turns.Add(1)
	f.socket.answer(f.batch)
	for range maxBatch {
		if _, err := f.client.Read(f.reply[:]); err != nil {
			f.tb.Fatal(err)
		}
	}
}
