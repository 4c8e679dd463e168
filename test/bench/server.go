package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// server is the process of CoreDNS or of a peer.
type server struct {
	cmd     *exec.Cmd
	address string
}

// start starts the contender, on the nth of the addresses.
func (s settings) start(dir string, c contender, n int) (*server, error) {
	address, name := fmt.Sprint(frontNetwork, n), service(0)+"."+c.suffix
	if c.name == unbound {
		return startUnbound(dir, address, name)
	}
	binary := s.coredns
	if c.before {
		binary = s.before
	}
	return startServer(binary, dir, c.corefile(), address, name)
}

// startServer runs CoreDNS in dir and returns when it has an answer to name at
// the address.
func startServer(coredns, dir, corefile, address, name string) (*server, error) {
	binary, err := filepath.Abs(coredns)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-quiet", "-conf", "stdin")
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(corefile, bindAddress, address))
	return startProcess(cmd, dir, address, name)
}

// startProcess starts a server's process, likewise.
func startProcess(cmd *exec.Cmd, dir, address, name string) (*server, error) {
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; run make", err)
	}
	s := &server{cmd, address}
	if err := ready(net.JoinHostPort(address, port), name+"."); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// ready asks for name until there is an answer.
func ready(addr, name string) error {
	question := new(dns.Msg)
	question.SetQuestion(name, dns.TypeA)
	client := &dns.Client{Timeout: 100 * time.Millisecond}
	_, err := harness.Poll(context.Background(), 30*time.Second, func() error {
		reply, _, err := client.Exchange(question, addr)
		if err == nil && reply.Rcode != dns.RcodeSuccess {
			err = errors.New(dns.RcodeToString[reply.Rcode])
		}
		return err
	})
	return err
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill() // gone already
	_ = s.cmd.Wait()         // killed
}

// clockTick is USER_HZ, the unit of the times below, on every Linux.
const clockTick = 10 * time.Millisecond

// cpuTime is the process's user and system time so far: fields 14 and 15 of
// proc_pid_stat(5), counted behind the command's closing bracket, which is 2.
func (s *server) cpuTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	total := time.Duration(0)
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(ticks) * clockTick
	}
	return total, nil
}
