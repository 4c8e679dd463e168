package clusterset

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/coredns/coredns/plugin/acl"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// What one client asks, and how it does, changes nothing of what another is told. The
// cache plugin stands in front in all of these, as in every Corefile that is shipped: it
// keeps what isn't refused, whoever asked.

// forged asks with the option of servers like this one.
func forged(t *testing.T, addr, name string, qtype uint16, data ...byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(1232, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: hopsOption, Data: data}}
	return send(t, addr, "udp", m)
}

// TestOthersReverse: while it isn't known which member this one is, what a server like
// this one asks about addresses is the next plugin's to answer; a client that says it is
// one changes nothing for others.
func TestOthersReverse(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"9.0.101.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local.\n8.0.101.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local.\n"))
	answer := clustertest.Zone(t, ". 600 IN SOA ns. h. 1 2 3 4 600\n8.0.101.10.in-addr.arpa. 600 IN PTR ip-10-101-0-8.internal.\n7.0.101.10.in-addr.arpa. 600 IN A 192.0.2.1\n")
	resolver := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) { answer(notAuthoritative{w}, r) })
	zone := filepath.Join(t.TempDir(), "reverse.zone")
	if err := os.WriteFile(zone, []byte("@ 5 IN SOA ns h 1 2 3 4 5\n1 600 IN PTR web.default.svc.cluster.local.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		cache
		clusterset lan in-addr.arpa {
			file `+document(t, clusterAt("c1", member.Addr.String(), ""))+`
		}
		file `+zone+` 1.101.10.in-addr.arpa
		forward . `+resolver.Addr.String()+`
	}`)
	if m := forged(t, s.addr, "1.1.101.10.in-addr.arpa.", dns.TypePTR, 1); len(m.Answer) != 1 || m.Answer[0].(*dns.PTR).Ptr != "web.default.svc.cluster.local." || m.Answer[0].Header().Ttl > 5 {
		t.Errorf("what a plugin behind has the say about: %v", m)
	}
	if m := forged(t, s.addr, "77.1.101.10.in-addr.arpa.", dns.TypePTR, 1); m.Rcode != dns.RcodeNameError {
		t.Errorf("what it denies: %v", m)
	}
	for _, name := range []string{"9.0.101.10.in-addr.arpa.", "8.0.101.10.in-addr.arpa.", "7.0.101.10.in-addr.arpa."} {
		_ = forged(t, s.addr, name, dns.TypePTR, 1)
		m := lookup(t, s.addr, "udp", name, dns.TypePTR)
		if named := len(m.Answer) == 1 && strings.HasSuffix(m.Answer[0].(*dns.PTR).Ptr, ".c1.lan."); named != !strings.HasPrefix(name, "7.") {
			t.Errorf("%s of another: %v", name, m)
		}
	}
}

// notAuthoritative is a resolver's way to answer.
type notAuthoritative struct{ dns.ResponseWriter }

func (w notAuthoritative) WriteMsg(m *dns.Msg) error {
	m.Authoritative = false
	return w.ResponseWriter.WriteMsg(m)
}

// TestOthersLate: a look-up that has no time left, because the question that it is a part
// of has none, says nothing of the name.
func TestOthersLate(t *testing.T) {
	var silent atomic.Bool
	answer := clustertest.Zone(t, memberZone)
	c2 := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if silent.Load() && strings.HasPrefix(r.Question[0].Name, "web.") {
			return
		}
		answer(w, r)
	})
	c1 := clustertest.Serve(t, clustertest.Zone(t, memberZone+"out.default.svc.cluster.local. 5 IN CNAME web.default.c2.lan.\n"))
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		cache
		clusterset lan {
			file `+document(t, `- {name: c1, serviceCIDRs: [10.1.0.0/16], dns: ["`+c1.Addr.String()+"\"]}\n"+clusterAt("c2", c2.Addr.String(), ""))+`
			timeout 2s
		}
	}`)
	silent.Store(true)
	if m := lookup(t, s.addr, "udp", "out.default.c1.lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("got %v", m)
	}
	silent.Store(false)
	if m := lookup(t, s.addr, "udp", "web.default.c2.lan.", dns.TypeA); lastAddress(m) != "10.101.0.1" {
		t.Errorf("another question: %v", m)
	}
}

// TestOthersDropped: a name that acl keeps from one client may be another's.
func TestOthersDropped(t *testing.T) {
	c1 := clustertest.Serve(t, clustertest.Zone(t, memberZone+"out.default.svc.cluster.local. 5 IN CNAME web.default.c2.lan.\n"))
	c2 := clustertest.Serve(t, clustertest.Zone(t, memberZone))
	set := document(t, `- {name: c1, serviceCIDRs: [10.1.0.0/16], dns: ["`+c1.Addr.String()+"\"]}\n"+clusterAt("c2", c2.Addr.String(), "")+"- {name: here, serviceCIDRs: [10.2.0.0/16]}\n")
	for _, action := range []string{"drop", "block", "filter"} {
		s := startCoreDNS(t, `.:PORT {
			bind 127.77.0.1
			acl c2.lan cluster.local {
				`+action+` net 127.0.0.2/32
			}
			cache
			clusterset lan {
				file `+set+`
				local here
			}
			file testdata/c1.zone cluster.local
		}`)
		for _, name := range []string{"out.default.c1.lan.", "web.default.here.lan."} {
			from := &dns.Client{Timeout: inTime, Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}}}
			m, _, err := from.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), s.addr)
			if err != nil || lastAddress(m) != "" {
				t.Errorf("%s: %s of who may not: %v, %v", action, name, m, err)
			}
			if m := lookup(t, s.addr, "udp", name, dns.TypeA); lastAddress(m) == "" {
				t.Errorf("%s: %s of who may: %v", action, name, m)
			}
		}
	}
}

// TestOthersGone: a client of DNS over HTTPS that doesn't wait fails nobody else.
func TestOthersGone(t *testing.T) {
	var silent atomic.Bool
	asked := make(chan struct{}, 100)
	answer := clustertest.Zone(t, memberZone)
	member := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if silent.Load() {
			asked <- struct{}{}
			return
		}
		answer(w, r)
	})
	s := startCoreDNS(t, `https://.:PORT {
		bind 127.77.0.1
		cache
		clusterset lan {
			file `+document(t, clusterAt("gone", member.Addr.String(), ""))+`
			timeout 30s
		}
	}`)
	silent.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	if m, err := overHTTPS(ctx, s.addr, "web.default.gone.lan."); err == nil {
		t.Errorf("got %v", m)
	}
	eventually(t, inTime, "the server knows", func() bool {
		return testutil.ToFloat64(responses.WithLabelValues("gone", "forward", "SERVFAIL")) == 1
	})
	silent.Store(false)
	if m, err := overHTTPS(context.Background(), s.addr, "web.default.gone.lan."); err != nil || lastAddress(m) != "10.101.0.1" {
		t.Errorf("another client: %v, %v", m, err)
	}
}

func overHTTPS(ctx context.Context, addr, name string) (*dns.Msg, error) {
	packed, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/dns-query", bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/dns-message")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	packed, err = io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	return m, m.Unpack(packed)
}

// TestLookupLabels: a look-up that goes on when its question is over shares no labels with
// it. The race detector tells, and so would Go's runtime, by ending the process.
func TestLookupLabels(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"out.default.svc.cluster.local. 5 IN CNAME www.example.org.\n"))
	resolver := clustertest.Serve(t, clustertest.Silence)
	s := startCoreDNS(t, `lan:PORT {
		bind 127.77.0.1
		metadata
		clusterset lan {
			file `+document(t, clusterAt("c1", member.Addr.String(), ""))+`
			timeout 100ms
		}
	}
	.:PORT {
		bind 127.77.0.1
		forward . `+resolver.Addr.String()+`
	}`)
	if m := lookup(t, s.addr, "udp", "out.default.c1.lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("got %v", m)
	}
}
