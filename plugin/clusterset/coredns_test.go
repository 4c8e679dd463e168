package clusterset

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"

	_ "github.com/coredns/coredns/core"
	"github.com/coredns/coredns/core/dnsserver"

	// the server type

	_ "github.com/coredns/coredns/plugin/bind"

	_ "github.com/coredns/coredns/plugin/cache"

	_ "github.com/coredns/coredns/plugin/errors"

	_ "github.com/coredns/coredns/plugin/file"

	_ "github.com/coredns/coredns/plugin/forward"

	_ "github.com/coredns/coredns/plugin/https"

	_ "github.com/coredns/coredns/plugin/metadata"

	_ "github.com/coredns/coredns/plugin/quic"

	_ "github.com/coredns/coredns/plugin/ready"

	_ "github.com/coredns/coredns/plugin/tls"

	_ "github.com/coredns/coredns/plugin/whoami"
	"github.com/miekg/dns"
)

func init() {
	caddy.Quiet, dnsserver.Quiet = true, true
	at := slices.Index(dnsserver.Directives, "kubernetes")
	dnsserver.Directives = slices.Insert(dnsserver.Directives, at, pluginName)
}

// coreDNS is a real CoreDNS in this process.
type coreDNS struct {
	instance   *caddy.Instance
	addr, port string
}

// corefile is a caddy.Input.
type corefile string

func (c corefile) Body() []byte       { return []byte(c) }
func (c corefile) Path() string       { return "Corefile" }
func (c corefile) ServerType() string { return "dns" }

// startCoreDNS starts a server and returns when it listens. PORT in the text is
// one that is free on 127.77.0.1 for UDP and TCP; the address is this package's
// own, as CoreDNS would share a port with another test's server (SO_REUSEPORT).
func startCoreDNS(t testing.TB, text string) *coreDNS {
	t.Helper()
	s := &coreDNS{addr: freeAddress(t, "127.77.0.1")}
	_, s.port, _ = net.SplitHostPort(s.addr)
	instance, err := caddy.Start(corefile(s.withPort(text)))
	if err != nil {
		t.Fatal(err)
	}
	s.instance = instance
	t.Cleanup(s.stop)
	return s
}

func (s *coreDNS) withPort(text string) string { return strings.ReplaceAll(text, "PORT", s.port) }

func (s *coreDNS) stop() {
	s.instance.ShutdownCallbacks()
	_ = s.instance.Stop() // stopped before
}

// reload replaces the server's configuration, as SIGUSR1 does.
func (s *coreDNS) reload(t testing.TB, text string) {
	t.Helper()
	instance, err := s.instance.Restart(corefile(s.withPort(text)))
	if err != nil {
		t.Fatal(err)
	}
	s.instance = instance
}

// startMember starts a CoreDNS that serves zones, as "ORIGIN FILE" in testdata, at ip
// and gives its address. UDP and TCP have the same port.
func startMember(t testing.TB, ip string, zones ...string) string {
	t.Helper()
	addr := freeAddress(t, ip)
	_, port, _ := net.SplitHostPort(addr)
	var text strings.Builder
	for _, zone := range zones {
		origin, file, _ := strings.Cut(zone, " ")
		text.WriteString(origin + ":" + port + " {\n  bind " + ip + "\n  file testdata/" + file + " " + origin + "\n}\n")
	}
	startCoreDNS(t, text.String())
	return addr
}

// given are the addresses that freeAddress has given.
var given sync.Map

// freeAddress gives an address of ip whose port is free for UDP and TCP, each once: CoreDNS
// would share it. It is below the ports that the kernel gives out, so that no client's
// socket takes it before the server does.
func freeAddress(t testing.TB, ip string) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort(ip, strconv.Itoa(20000+rand.IntN(12000)))
		if _, known := given.LoadOrStore(addr, true); !known && isFree(addr) {
			return addr
		}
	}
	t.Fatalf("no free port at %s", ip)
	return ""
}

func isFree(addr string) bool {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer listener.Close()
	packets, err := net.ListenPacket("udp", addr)
	return err == nil && packets.Close() == nil
}

// document writes a ClusterSet document with these clusters and gives its path.
func document(t testing.TB, clusters string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clusterset.yaml")
	writeDocument(t, path, clusters)
	return path
}

// writeDocument replaces the document at once, as a mounted ConfigMap's is.
func writeDocument(t testing.TB, path, clusters string) {
	t.Helper()
	text := "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n" + clusters
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// lookup asks the server over "udp" or "tcp", with EDNS.
func lookup(t testing.TB, addr, network, name string, qtype uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(name, qtype)
	m.SetEdns0(1232, false)
	return send(t, addr, network, m)
}

func send(t testing.TB, addr, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: inTime, UDPSize: dns.MaxMsgSize - 1}
	reply, _, err := client.Exchange(m, addr)
	if err != nil {
		t.Fatalf("%s: %v", m.Question[0].Name, err)
	}
	return reply
}

// explanation is the reply's extended error: RFC 8914.
func explanation(m *dns.Msg) (code uint16, text string) {
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				return e.InfoCode, e.ExtraText
			}
		}
	}
	return question.NoExtendedError, ""
}

// eventually tries until ok, for as long as a change may take at the most.
func eventually(t testing.TB, bound time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %v: %s", bound, what)
}

// closedKubeconfig names an API server that isn't there.
func closedKubeconfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://` + freeAddress(t, "127.77.0.1") + `"}}]
users: [{name: u, user: {token: none}}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
