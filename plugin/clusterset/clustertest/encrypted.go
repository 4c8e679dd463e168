package clustertest

import (
	"context"
	"crypto/tls"
	"io"
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
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, TLSConfig: config.Clone()}
	var running sync.WaitGroup
	running.Go(func() { _ = server.ServeTLS(listener, "", "") })
	t.Cleanup(func() {
		_ = server.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
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
	config = config.Clone()
	config.NextProtos = []string{"doq"}
	listener, err := quic.ListenAddr(at, config, more)
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
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.UDPAddr).AddrPort()
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

// ServeTLS ends TLS before a TCP port, until the test's end.
func ServeTLS(t testing.TB, at string, config *tls.Config, to netip.AddrPort) netip.AddrPort {
	t.Helper()
	listener, err := tls.Listen("tcp", at, config)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer client.Close()
				server, err := net.Dial("tcp", to.String())
				if err != nil {
					return
				}
				running.Go(func() {
					_, _ = io.Copy(client, server)
					_ = client.Close()
				})
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}
