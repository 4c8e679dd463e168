package clustertest

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"

	"github.com/quic-go/quic-go"
)

// Loopback is a free port of 127.0.0.1.
const Loopback = "127.0.0.1:0"

// ServeHTTPS starts a server over HTTP/2 or HTTP/1.1 with TLS; the test's end stops it.
func ServeHTTPS(t testing.TB, at string, config *tls.Config, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	addr, _ := serveHTTPS(t, at, config, h, func(any) {})
	return addr
}

// connKey is of a request's connection, in its context.
type connKey struct{}

func serveHTTPS(t testing.TB, at string, config *tls.Config, h http.HandlerFunc, closed func(conn any)) (addr netip.AddrPort, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: h, TLSConfig: config.Clone(), ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
		ConnState: func(conn net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed(conn)
			}
		},
	}
	var running sync.WaitGroup
	running.Go(func() { _ = server.ServeTLS(listener, "", "") })
	stop = func() {
		_ = server.Close()
		running.Wait()
	}
	t.Cleanup(stop)
	return listener.Addr().(*net.TCPAddr).AddrPort(), stop
}

// AnswerHTTP answers with an address, as RFC 8484 has it.
func AnswerHTTP(w http.ResponseWriter, r *http.Request) {
	query, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/dns-message")
	_, _ = w.Write(Addresses(1)(query))
}

// ServeQUIC starts a server that has serve answer each stream; the test's end stops it.
func ServeQUIC(t testing.TB, at string, config *tls.Config, more *quic.Config, serve func(*quic.Conn, *quic.Stream)) netip.AddrPort {
	t.Helper()
	addr, _ := serveQUIC(t, at, config, more, serve)
	return addr
}

func serveQUIC(t testing.TB, at string, config *tls.Config, more *quic.Config, serve func(*quic.Conn, *quic.Stream)) (addr netip.AddrPort, stop func()) {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"doq"}
	packets, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	socket := &quic.Transport{Conn: packets}
	listener, err := socket.Listen(config, more)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept(ctx)
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.CloseWithError(0, "") }()
				for {
					stream, err := conn.AcceptStream(ctx)
					if err != nil {
						return
					}
					running.Go(func() { serve(conn, stream) })
				}
			})
		}
	})
	stop = func() {
		cancel()
		_ = listener.Close()
		running.Wait()
		_ = socket.Close() // which would remember its connections for a while
		_ = packets.Close()
	}
	t.Cleanup(stop)
	return listener.Addr().(*net.UDPAddr).AddrPort(), stop
}

// AnswerQUIC answers with an address, as RFC 9250 has it.
func AnswerQUIC(_ *quic.Conn, stream *quic.Stream) {
	query, err := ReadFrame(stream)
	if err != nil {
		return
	}
	WriteFrame(stream, Addresses(1)(query))
	_ = stream.Close()
}
