package exchange

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/miekg/dns"
)

// TestUpstreamZone: an IPv6 address with a zone, which only this machine knows, is asked
// over each transport. It is no part of what a certificate is for, nor of what the
// upstream is told (RFC 6874, section 4).
func TestUpstreamZone(t *testing.T) {
	loopback := loopbackZone(t)
	authority := clustertest.NewAuthority(t)
	pair, err := tls.X509KeyPair(authority.Issue(t, "::1"))
	if err != nil {
		t.Fatal(err)
	}
	config, material := &tls.Config{Certificates: []tls.Certificate{pair}}, NewTLSConfig("", authority.Pool(), nil)
	const at = "[::1]:0"
	plain := func(*testing.T) netip.AddrPort {
		return clustertest.ServeAt(t, netip.MustParseAddrPort(at), answering(dns.RcodeSuccess, true)).Addr
	}
	for scheme, serve := range map[model.Scheme]func(t *testing.T) netip.AddrPort{
		model.DNS:  plain,
		model.TCP:  plain,
		model.DoT:  func(t *testing.T) netip.AddrPort { return serveTLSAt(t, at, config) },
		model.QUIC: func(t *testing.T) netip.AddrPort { return serveQUICAt(t, at, config, nil, answerQUIC) },
		model.HTTPS: func(t *testing.T) netip.AddrPort {
			return serveHTTPSAt(t, at, config, func(w http.ResponseWriter, r *http.Request) {
				if host, _, err := net.SplitHostPort(r.Host); err != nil || host != "::1" {
					t.Errorf("the upstream is told %q", r.Host)
				}
				answerHTTP(w, r)
			})
		},
	} {
		t.Run(string(scheme), func(t *testing.T) {
			addr := serve(t)
			c := newClientOf(t, scheme, material, netip.AddrPortFrom(addr.Addr().WithZone(loopback), addr.Port()))
			m, err := askEncrypted(t, c)
			wantEnd(t, m, err, "")
		})
	}
}

// loopbackZone is the name of the loopback interface.
func loopbackZone(t *testing.T) string {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 {
			return i.Name
		}
	}
	t.Skip("no loopback interface")
	return ""
}

// serveTLSAt serves queries over TLS.
func serveTLSAt(t *testing.T, at string, config *tls.Config) netip.AddrPort {
	t.Helper()
	listener, err := tls.Listen("tcp", at, config)
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan struct{})
	server := &dns.Server{
		Listener: listener, NotifyStartedFunc: func() { close(started) },
		Handler: answering(dns.RcodeSuccess, true),
	}
	go func() {
		defer close(ended)
		_ = server.ActivateAndServe()
	}()
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-ended
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}
