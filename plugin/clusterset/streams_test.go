package clusterset

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestSilentConnections: queries that are sent into a connection which a firewall forgot
// are answered, all at once and one after the other, and over each transport.
func TestSilentConnections(t *testing.T) {
	a := newAuthority(t)
	plain := netip.MustParseAddrPort(startMember(t, "127.0.63.11", "cluster.local c1.zone"))
	encrypted := func(scheme string) netip.AddrPort { return netip.MustParseAddrPort(a.startEncrypted(t, scheme)) }
	walls := map[string]*clustertest.Relay{
		"tcp": clustertest.NewRelay(t, plain), "tls": clustertest.NewRelay(t, encrypted("tls")),
		"https": clustertest.NewRelay(t, encrypted("https")), "quic": clustertest.NewUDPRelay(t, encrypted("quic")),
	}
	material := ", tls: {serverName: dns.c1.example, caFile: " + a.path("ca.pem") + ", certFile: " + a.path("client.pem") + ", keyFile: " + a.path("client.key") + "}"
	clusters := ""
	for scheme, wall := range walls {
		more := material
		if scheme == "tcp" {
			more = ""
		}
		clusters += clusterAt(scheme, scheme+"://"+wall.Addr.String(), more)
	}
	s := serveSet(t, clusters, "cache 0")
	for scheme, wall := range walls {
		t.Run(scheme, func(t *testing.T) {
			ask := func(qtype uint16) {
				if m := lookup(t, s.addr, "udp", "web.default."+scheme+".lan.", qtype); m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 {
					t.Errorf("%v", m)
				}
			}
			ask(dns.TypeA)
			for range 2 {
				wall.Forget()
				var asked sync.WaitGroup
				for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
					asked.Go(func() { ask(qtype) })
				}
				asked.Wait()
				ask(dns.TypeA)
			}
		})
	}
}

// TestEndlessReplies: what an upstream sends over a stream without having been asked isn't
// read for ever, and another member's names are answered meanwhile.
func TestEndlessReplies(t *testing.T) {
	var flooding, read atomic.Int64
	flood := func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		m.Id++
		b, err := m.Pack()
		if err != nil {
			return
		}
		flooding.Add(1)
		defer flooding.Add(-1)
		for { // until it is closed
			n, err := w.Write(b)
			if read.Add(int64(n)); err != nil {
				return
			}
		}
	}
	a := newAuthority(t)
	plain := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if w.LocalAddr().Network() == "tcp" {
			flood(w, r)
		}
	}).Addr.String()
	good := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	s := serveSet(t, clusterAt("tcp", "tcp://"+plain, "")+clusterAt("plain", plain, "")+
		clusterAt("tls", "tls://"+a.serveTLS(t, flood), ", tls: {serverName: dns.c1.example, caFile: "+a.path("ca.pem")+"}")+clusterAt("good", good, ""), "timeout 1s")
	for _, member := range []string{"tcp", "tls", "plain"} {
		for range 3 {
			if m := lookup(t, s.addr, "tcp", "web.default."+member+".lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
				t.Errorf("%s: %v", member, m)
			}
			if m := lookup(t, s.addr, "udp", "web.default.good.lan.", dns.TypeA); addressOf(m) != "10.101.0.1" {
				t.Errorf("another member: %v", m)
			}
		}
	}
	eventually(t, inTime, "nothing is read any more", func() bool { return flooding.Load() == 0 })
	t.Logf("%d bytes were sent", read.Load())
}

// serveTLS has handler answer over TLS.
func (a authority) serveTLS(t *testing.T, handler dns.HandlerFunc) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(a.path("server.pem"), a.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}), Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe() // it ends with the listener
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}
