package exchange

import (
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestUpstreamZone: an IPv6 address with a zone, which only this machine knows, is asked
// over each transport. It is no part of what a certificate is for, nor of what the
// upstream is told (RFC 6874, section 4).
func TestUpstreamZone(t *testing.T) {
	loopback := loopbackZone(t)
	authority := clustertest.NewAuthority(t)
	config, credentials := authority.ServerTLS(t, "::1"), transport.NewTLSConfig("", authority.Pool(), nil)
	const at = "[::1]:0"
	plain := func(*testing.T) netip.AddrPort {
		return clustertest.ServeAt(t, netip.MustParseAddrPort(at), answering(dns.RcodeSuccess, true)).Addr
	}
	for scheme, serve := range map[model.Scheme]func(t *testing.T) netip.AddrPort{
		model.DNS: plain,
		model.TCP: plain,
		model.DoT: func(t *testing.T) netip.AddrPort { return clustertest.ServeTLS(t, at, config, plain(t)) },
		model.QUIC: func(t *testing.T) netip.AddrPort {
			return clustertest.ServeQUIC(t, at, config, nil, clustertest.AnswerQUIC)
		},
		model.HTTPS: func(t *testing.T) netip.AddrPort {
			return clustertest.ServeHTTPS(t, at, config, func(w http.ResponseWriter, r *http.Request) {
				if host, _, err := net.SplitHostPort(r.Host); err != nil || host != "::1" {
					t.Errorf("the upstream is told %q", r.Host)
				}
				clustertest.AnswerHTTP(w, r)
			})
		},
	} {
		t.Run(string(scheme), func(t *testing.T) {
			addr := serve(t)
			c := newClientOf(t, scheme, credentials, netip.AddrPortFrom(addr.Addr().WithZone(loopback), addr.Port()))
			m, err := askSize(t, c, DatagramSize, false)
			if err != nil || len(m.Answer) != 1 {
				t.Errorf("%v, %v", m, err)
			}
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
