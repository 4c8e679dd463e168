//go:build unix

package exchange

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/proxy"
	protocol "github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/plugin/test"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// echoStream is echo over a stream, TLS where there is a config.
func echoStream(tb testing.TB, config *tls.Config) netip.AddrPort {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	addr := listener.Addr().(*net.TCPAddr).AddrPort()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echoConn(conn)
		}
	}()
	return addr
}

// echoConn answers what has come with one write, as long as the client is there.
func echoConn(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	const frameLen = 2
	in, out := make([]byte, MaxSize), []byte(nil)
	for {
		head, err := r.Peek(frameLen)
		if err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(head))
		if _, err := io.ReadFull(r, in[:frameLen+n]); err != nil {
			return
		}
		reply := echoed(in[frameLen:])
		out = binary.BigEndian.AppendUint16(out, uint16(len(reply)))
		out = append(out, reply...)
		if r.Buffered() > 0 {
			continue
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
		out = out[:0]
	}
}

// BenchmarkStream is our client over TCP and TLS with all that stands around it,
// BenchmarkProxyStream what CoreDNS's forward asks with. test/bench/README.md has what
// was seen.
func BenchmarkStream(b *testing.B) {
	overStreams(b, func(b *testing.B, scheme model.Scheme, server *tls.Config, roots *x509.CertPool) {
		benchmarkClient(b, model.Upstream{Scheme: scheme, Addr: echoStream(b, server)}, transport.NewTLSConfig("", roots, nil))
	})
}

func BenchmarkProxyStream(b *testing.B) {
	overStreams(b, func(b *testing.B, scheme model.Scheme, server *tls.Config, roots *x509.CertPool) {
		p := proxy.NewProxy("benchmark", echoStream(b, server).String(), map[model.Scheme]string{model.TCP: protocol.DNS, model.DoT: protocol.TLS}[scheme])
		if server != nil {
			p.SetTLSConfig(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1", ClientSessionCache: tls.NewLRUClientSessionCache(1)})
		}
		benchmarkProxy(b, p, &test.ResponseWriter{TCP: true}, proxy.Options{ForceTCP: true})
	})
}

func overStreams(b *testing.B, run func(b *testing.B, scheme model.Scheme, server *tls.Config, roots *x509.CertPool)) {
	b.Run("tcp", func(b *testing.B) { run(b, model.TCP, nil, nil) })
	a := clustertest.NewAuthority(b)
	b.Run("tls", func(b *testing.B) { run(b, model.DoT, a.ServerTLS(b, "127.0.0.1"), a.Pool()) })
}

// TestStreamAllocs is the budget of a query over a stream, that of TestUDPAllocs.
func TestStreamAllocs(t *testing.T) {
	budget := 2.0
	if underRace() {
		budget += 4 // sync.Pool then throws a part away, on purpose
	}
	member := &model.Cluster{Name: "c1", ClusterDomain: "cluster.local.", DNS: []model.Upstream{{Scheme: model.TCP, Addr: echoStream(t, nil)}}}
	c := New(member, Options{Metrics: testMetrics(), Changed: func(model.Upstream, error) {}, Hedging: Hedging{Off: true}})
	defer c.Close()
	q := question("web.default.svc.cluster.local.")
	ask := func() {
		q.Deadline = time.Now().Add(5 * time.Second)
		if _, _, err := c.Exchange(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // opens the connection, fills the pools
		ask()
	}
	if n := testing.AllocsPerRun(1000, ask); n > budget {
		t.Errorf("%v allocations, want %v at most", n, budget)
	}
}
