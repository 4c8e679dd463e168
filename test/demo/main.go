// Demo shows clusterset's main job on a bare machine, without root, a cluster or
// a network: `make demo` runs it.
//
// It starts CoreDNS servers on loopback that stand for three clusters' DNS, and
// one with clusterset in front of them. Then it asks: names of every kind, one name
// for a service of all clusters, a cluster added, a mistake in the ClusterSet
// document, a cluster that dies and comes back. Every answer is compared with what it should be (steps.go), and
// the exit status tells. It does not measure, and it is no test of details: those
// are beside the code.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

func main() {
	// The kernel ends the children when the thread that started them ends, and the main thread lives as long as the process.
	runtime.LockOSThread()
	binary := flag.String("coredns", filepath.Join("bin", "coredns"), "the CoreDNS with clusterset; `make` builds it")
	port := flag.Int("port", 5300, "the port to listen on; the next free one where it is taken")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, *binary, *port)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// errWrong ends the demo when answers were not as they should be.
var errWrong = errors.New("an answer was not as it should be")

// run is the whole show, and cleans up after it. With a terminal on stdin it
// stays for the reader's own questions.
func run(ctx context.Context, binary string, port int) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w; build it with `make`", err)
	}
	dir, err := os.MkdirTemp("", "clusterset-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &show{output: newOutput(os.Stdout), ctx: ctx, binary: binary, dir: dir, port: port, members: make(map[string]*server)}
	defer s.killAll()

	for _, step := range []func() error{s.begin, s.lookUp, s.addMember, s.breakDocument, s.loseMember, s.returnMember} {
		if err := step(); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return err
		}
	}
	s.sum()
	if isTerminal(os.Stdin) {
		s.invite()
		<-ctx.Done()
	}
	if s.right < s.asked {
		return errWrong
	}
	return nil
}
