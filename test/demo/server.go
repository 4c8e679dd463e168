package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// files are the servers' configuration, and the zones of each member.
//
//go:embed config zones
var files embed.FS

// server is one CoreDNS, with a folder of its own.
type server struct {
	name string
	dir  string
	host string
	port int
	zone string // one it serves

	program *harness.Program // nil before its first start
}

// addServer starts the CoreDNS of a member, on an address that looks like the
// cluster's: 127.0.101.10 for cluster1.
func (s *show) addServer(name string, number int) error {
	m, err := s.newServer(name, fmt.Sprintf("127.0.%d.10", 100+number), "cluster.local.", "config/member.Corefile")
	if err != nil {
		return err
	}
	zones, err := fs.Sub(files, path.Join("zones", name))
	if err != nil {
		return err
	}
	if err := os.CopyFS(m.dir, zones); err != nil {
		return err
	}
	s.members[name] = m
	return m.start(s.binary)
}

// newServer finds an address for a server and makes its folder.
func (s *show) newServer(name, host, zone, corefile string) (*server, error) {
	host, port, err := freeAddress(host, s.port)
	if err != nil {
		return nil, err
	}
	n := &server{name: name, dir: filepath.Join(s.dir, name), host: host, port: port, zone: zone}
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return nil, err
	}
	text, err := files.ReadFile(corefile)
	if err != nil {
		return nil, err
	}
	return n, os.WriteFile(n.path("Corefile"), text, 0o600)
}

// all are the members, in the order of their names.
func (s *show) all() []*server {
	var all []*server
	for _, m := range s.members {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *server) int { return strings.Compare(a.name, b.name) })
	return all
}

// expand gives a file with the members' addresses in the place of their names.
func (s *show) expand(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return os.Expand(string(text), func(member string) string { return s.members[member].address() })
}

func (s *show) killAll() {
	for _, m := range s.members {
		m.kill()
	}
	if s.front != nil {
		s.front.kill()
	}
}

// tries is how many ports are tried: others may run the demo too.
const tries = 100

// freeAddress finds a port that is free for UDP and TCP, from port on. Linux
// answers on all of 127.0.0.0/8; where a system doesn't, it is 127.0.0.1.
func freeAddress(host string, port int) (string, int, error) {
	if !isFree(host, 0) {
		host = "127.0.0.1"
	}
	for p := port; p < port+tries; p++ {
		if isFree(host, p) {
			return host, p, nil
		}
	}
	return "", 0, fmt.Errorf("no free port from %d on at %s", port, host)
}

func isFree(host string, port int) bool {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}

func (s *server) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

func (s *server) path(file string) string { return filepath.Join(s.dir, file) }

// log is all that it has said.
func (s *server) log() string { return s.program.Log() }

// corefile is its Corefile as CoreDNS reads it.
func (s *server) corefile() string {
	text, err := os.ReadFile(s.path("Corefile"))
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer("{$HOST}", s.host, "{$PORT}", strconv.Itoa(s.port)).Replace(string(text))
}

// start starts it; ready waits for it.
func (s *server) start(binary string) (err error) {
	command := exec.Command(binary)
	command.Dir = s.dir
	// Nothing of the caller's: in a pod, its variables lead to a real API server.
	command.Env = []string{"HOME=" + s.dir, "HOST=" + s.host, "PORT=" + strconv.Itoa(s.port)}
	// A process group of its own, so that Ctrl-C reaches the demo alone.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.program, err = harness.Run(command, s.path("log"))
	return err
}

// kill ends it as a crash would, and waits until its port is free.
func (s *server) kill() {
	if s.program != nil {
		s.program.Kill()
	}
}

// ready waits until it answers for its zone.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := new(dns.Msg)
	q.SetQuestion(s.zone, dns.TypeSOA)
	_, err := harness.Poll(ctx, limit, func() error {
		if ended := s.program.Running(); ended != nil {
			cancel(ended)
			return ended
		}
		reply, _, err := client.ExchangeContext(ctx, q, s.address())
		if err == nil && reply.Rcode != dns.RcodeSuccess {
			err = errors.New(dns.RcodeToString[reply.Rcode])
		}
		return err
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w; its log:\n%s", s.name, err, s.log())
	}
	return err
}
