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
	"time"

	"github.com/miekg/dns"
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

	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
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
	return n, os.WriteFile(filepath.Join(n.dir, "Corefile"), text, 0o600)
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

func (s *server) logPath() string { return filepath.Join(s.dir, "log") }

// log is all that it has said.
func (s *server) log() string {
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// corefile is its Corefile as CoreDNS reads it.
func (s *server) corefile() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "Corefile"))
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer("{$HOST}", s.host, "{$PORT}", strconv.Itoa(s.port)).Replace(string(text))
}

// start starts it; ready waits for it.
func (s *server) start(binary string) error {
	log, err := os.OpenFile(s.logPath(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(binary)
	s.cmd.Dir = s.dir
	// Nothing of the caller's: in a pod, its variables lead to a real API server.
	s.cmd.Env = []string{"HOME=" + s.dir, "HOST=" + s.host, "PORT=" + strconv.Itoa(s.port)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = childAttributes()
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // how it ended doesn't matter: it was killed, or its log tells
		close(s.ended)
	}()
	return nil
}

// kill ends it as a crash would, and waits until its port is free.
func (s *server) kill() {
	if s.ended == nil { // never started
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // an error: it has ended
	<-s.ended
}

// ready waits until it answers for its zone.
func (s *server) ready(ctx context.Context) error {
	q := new(dns.Msg)
	q.SetQuestion(s.zone, dns.TypeSOA)
	_, err := poll(ctx, func() (bool, error) {
		select {
		case <-s.ended:
			return false, fmt.Errorf("%s ended; its log:\n%s", s.name, s.log())
		default:
		}
		reply, _, err := client.ExchangeContext(ctx, q, s.address())
		return err == nil && reply.Rcode == dns.RcodeSuccess, nil
	})
	if errors.Is(err, errLate) {
		return fmt.Errorf("%s is not ready: %w; its log:\n%s", s.name, err, s.log())
	}
	return err
}

// pollPause is between two looks at what is waited for.
const pollPause = 2 * time.Millisecond

var errLate = fmt.Errorf("waited %s for it", limit)

// poll looks until done says so, and tells how long that took.
func poll(ctx context.Context, done func() (bool, error)) (time.Duration, error) {
	began := time.Now()
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		ok, err := done()
		took := time.Since(began)
		if ok || err != nil {
			return took.Round(time.Millisecond), err
		}
		if took > limit {
			return took, errLate
		}
		select {
		case <-ctx.Done():
			return took, ctx.Err()
		case <-tick.C:
		}
	}
}
