package batch

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/acl"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/multisocket"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/tsig"
	_ "github.com/coredns/coredns/plugin/whoami"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/batch/turn"
)

func TestMain(m *testing.M) {
	at := slices.Index(dnsserver.Directives, "whoami")
	dnsserver.Directives = append(slices.Insert(dnsserver.Directives, at, "misbehave"), name)
	plugin.Register("misbehave", func(c *caddy.Controller) error {
		for c.Next() {
		}
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler { return misbehave{next} })
		return nil
	})
	dnsserver.Quiet, caddy.Quiet = true, true
	os.Exit(m.Run())
}

// misbehave is a plugin that does what a query's first label says.
type misbehave struct{ next plugin.Handler }

func (misbehave) Name() string { return "misbehave" }

var (
	released sync.Map       // by name: a channel that is closed when its query may go on
	late     sync.WaitGroup // replies that come after their handlers have returned
)

func release(name string) chan struct{} {
	c, _ := released.LoadOrStore(name, make(chan struct{}))
	return c.(chan struct{})
}

// ServeDNS implements plugin.Handler.
func (h misbehave) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	name := r.Question[0].Name
	reply := new(dns.Msg).SetReply(r)
	switch word, _, _ := strings.Cut(name, "."); word {
	case "panics":
		panic("as asked")
	case "exits":
		runtime.Goexit()
	case "never":
		return dns.RcodeSuccess, nil
	case "twice":
		_ = w.WriteMsg(reply)
	case "closed":
		_ = w.WriteMsg(reply)
		_ = w.Close()
		return dns.RcodeSuccess, w.WriteMsg(reply)
	case "late":
		late.Go(func() { _ = w.WriteMsg(reply) })
		return dns.RcodeSuccess, nil
	case "raw":
		data, _ := reply.Pack()
		_, err := w.Write(data)
		clear(data) // the plugin's own again
		return dns.RcodeSuccess, err
	case "says":
		text := fmt.Sprint(w.RemoteAddr().Network(), " ", w.LocalAddr().Network(), " ", w.TsigStatus(), " ", ctx.Value(dnsserver.LoopKey{}))
		s := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
		text += fmt.Sprint(" ", strings.HasPrefix(s.Addr, "dns://127.0.0."), " ", ctx.Done() == nil, " ", ctx.Err())
		reply.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{text}}}
	case "blocks":
		<-release(name)
	case "waits":
		turn.Yield(ctx)
		turn.Yield(ctx) // does nothing
		<-release(name)
	case "large":
		for i := range 200 {
			reply.Answer = append(reply.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(10, 0, 0, byte(i))})
		}
	default:
		return plugin.NextOrFailure(h.Name(), h.next, ctx, w, r)
	}
	return dns.RcodeSuccess, w.WriteMsg(reply)
}

// start starts the servers of a Corefile, in which PORT is a port that no one else has, and
// returns them and the port.
func start(t *testing.T, corefile string) (*caddy.Instance, string) {
	t.Helper()
	port := freePort(t)
	i, err := caddy.Start(input(corefile, port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range i.ShutdownCallbacks() {
			t.Error(err)
		}
		if err := i.Stop(); err != nil {
			t.Error(err)
		}
	})
	return i, port
}

func input(corefile, port string) caddy.CaddyfileInput {
	return caddy.CaddyfileInput{Contents: []byte(strings.ReplaceAll(corefile, "PORT", port)), Filepath: "Corefile", ServerTypeName: "dns"}
}

// freePort returns a port that is free for UDP and TCP at all addresses.
func freePort(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		p, err := net.ListenPacket("udp", ":"+port)
		l.Close()
		if err == nil {
			p.Close()
			return port
		}
	}
}

// inBatches waits until an address is read in batches.
func inBatches(t *testing.T, address string) *socket {
	t.Helper()
	for range 1000 {
		sockets.mu.Lock()
		s := sockets.by["dns://"+address]
		sockets.mu.Unlock()
		if s != nil && s.steering.steered.Load() {
			return s
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s isn't read in batches", address)
	return nil
}

// ask sends packet and returns the reply, nil if none comes.
func ask(t *testing.T, address string, packet []byte) []byte {
	t.Helper()
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return askOver(t, c, packet, 5*time.Second)
}

func askOver(t *testing.T, c net.Conn, packet []byte, most time.Duration) []byte {
	t.Helper()
	if _, err := c.Write(packet); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(most))
	b := make([]byte, dns.MaxMsgSize)
	n, err := c.Read(b)
	if err != nil {
		return nil
	}
	return b[:n]
}

func question(name string, qtype uint16) []byte {
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.Id = 4711
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}
