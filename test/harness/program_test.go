package harness

import (
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestPoll: it looks at once and then each pause, until nothing is wrong, the limit is
// over or the context is done.
func TestPoll(t *testing.T) {
	wrong := errors.New("wrong")
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		took, err := Poll(t.Context(), time.Minute, func() error {
			if looks++; looks < 4 {
				return wrong
			}
			return nil
		})
		if err != nil || took != 3*pollPause {
			t.Errorf("%v, error %v", took, err)
		}
		took, err = Poll(t.Context(), 0, func() error { return nil })
		if err != nil || took != 0 {
			t.Errorf("right at once: %v, error %v", took, err)
		}
		took, err = Poll(t.Context(), time.Minute, func() error { return wrong })
		late, is := errors.AsType[*LateError](err)
		if !is || !errors.Is(late.Last, wrong) || took < time.Minute || took > time.Minute+pollPause {
			t.Errorf("never right: %v, error %v", took, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		took, err = Poll(ctx, time.Minute, func() error {
			cancel(io.EOF)
			return wrong
		})
		if !errors.Is(err, io.EOF) || took > pollPause {
			t.Errorf("done: %v, error %v", took, err)
		}
	})
}

// TestProgram runs a shell.
func TestProgram(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	run := func(script string) *Program {
		t.Helper()
		p, err := Run(exec.Command("/bin/sh", "-c", script), log)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := run("echo " + version + "1; exec sleep 60")
	if err := p.AwaitListening(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := p.Running(); err != nil {
		t.Error(err)
	}
	p.Kill()
	if err := p.Running(); err == nil || !strings.Contains(err.Error(), syscall.SIGKILL.String()) {
		t.Errorf("killed: error %v", err)
	}
	if err := run("trap 'exit 0' TERM; echo; while :; do sleep 0.01; done").awaitLine(t, log).Terminate(time.Minute); err != nil {
		t.Error(err)
	}
	if err := run("exit 3").Terminate(time.Minute); err == nil {
		t.Error("no error for an exit status of 3")
	}
	if got := p.Log(); !strings.HasPrefix(got, version+"1\n") {
		t.Errorf("log %q", got)
	}
	log = filepath.Join(t.TempDir(), "log")
	if err := run("exit 3").AwaitListening(t.Context(), time.Minute); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("ended: error %v", err)
	}
}

// awaitLine waits until the log ends with an empty line.
func (p *Program) awaitLine(t *testing.T, log string) *Program {
	t.Helper()
	_, err := Poll(t.Context(), time.Minute, func() error {
		if !strings.HasSuffix(p.Log(), "\n\n") {
			return errors.New("no line yet")
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", log, err)
	}
	return p
}

// echo is a server that says what it hears, with an exclamation mark.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 100)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					_, _ = conn.Write(append(buffer[:n], '!'))
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestRelay: a connection through a relay passes bytes, waits, loses them and ends, as
// the relay is told.
func TestRelay(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Addr: free.Addr().String(), Server: echo(t)}
	free.Close()
	start := func() {
		t.Helper()
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
	}
	start()
	defer func() { r.Stop() }()
	dial := func() *relayed {
		t.Helper()
		conn, err := net.Dial("tcp", r.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return &relayed{t, conn}
	}
	conn := dial()
	conn.says("a")
	conn.hears("a!")
	if n := r.Conns(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	r.Silence()
	conn.says("b")
	conn.hearsNothing()
	r.Resume()
	conn.hears("b!")
	r.Lose(true)
	conn.says("c")
	conn.hearsNothing()
	r.Lose(false)
	conn.says("d")
	conn.hears("d!")
	r.HangUp(true)
	conn.hasEnded()
	dial().hasEnded()
	r.HangUp(false)
	conn = dial()
	conn.says("e")
	conn.hears("e!")
	r.Silence()
	r.Stop()
	conn.hasEnded()
	if _, err := net.Dial("tcp", r.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("stopped: error %v, want a refused connection", err)
	}
	start()
	conn = dial()
	conn.says("f")
	conn.hears("f!")
}

// relayed is a connection through a relay.
type relayed struct {
	t *testing.T
	net.Conn
}

func (c *relayed) says(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *relayed) read(within time.Duration) (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(within))
	buffer := make([]byte, 100)
	n, err := c.Read(buffer)
	return string(buffer[:n]), err
}

func (c *relayed) hears(want string) {
	c.t.Helper()
	if got, err := c.read(10 * time.Second); got != want {
		c.t.Fatalf("%q, error %v, want %q", got, err, want)
	}
}

func (c *relayed) hearsNothing() {
	c.t.Helper()
	if got, err := c.read(50 * time.Millisecond); err == nil {
		c.t.Fatalf("%q, want nothing", got)
	}
}

func (c *relayed) hasEnded() {
	c.t.Helper()
	if got, err := c.read(10 * time.Second); err == nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		c.t.Fatalf("%q, error %v, want its end", got, err)
	}
}

func isTimeout(err error) bool {
	timeout, is := errors.AsType[net.Error](err)
	return is && timeout.Timeout()
}
