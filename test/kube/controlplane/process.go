package controlplane

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// logTail is how many last lines of a child's log an error carries.
const logTail = 15

// spawner starts children. All start from one thread that lives as long as the
// process: the kernel sends a child its Pdeathsig when the thread that started
// it ends, and Go may end any other.
type spawner chan func()

func newSpawner() spawner {
	s := make(spawner)
	go func() {
		runtime.LockOSThread()
		for start := range s {
			start()
		}
	}()
	return s
}

// process is one child, from its start until it is reaped.
type process struct {
	name    string // for messages: "c1 apiserver"
	log     string
	cmd     *exec.Cmd
	stopped atomic.Bool   // it was asked to end
	exited  chan struct{} // closed when it is reaped
}

// start runs this same binary as the server that args[0] names, with its output
// appended to the file log.
func (s spawner) start(name, log string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	// Not the binary's path: a restart must be of the same build, even where
	// the file was replaced meanwhile.
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = "kube"
	// No variable of the caller's (ETCD_*, KUBECONFIG, proxies) reaches them.
	cmd.Env = []string{"HOME=" + os.DevNull}
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own: a terminal's Ctrl-C goes to kube up alone, which ends
	// them in the right order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}

	started := make(chan error)
	s <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &process{name: name, log: log, cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.exited)
	}()
	return p, nil
}

func (p *process) alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill ends it as a crash would, at once even when it is paused, and waits.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.stopped.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate lets it end in order, for at most grace.
func (p *process) terminate(grace time.Duration) {
	p.stopped.Store(true)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.kill()
	}
}

// pause stops it where it is, and returns when the kernel has stopped it.
func (p *process) pause() error { return p.signalAndWait(unix.SIGSTOP, unix.WSTOPPED) }

// resume lets a paused process go on.
func (p *process) resume() error { return p.signalAndWait(unix.SIGCONT, unix.WCONTINUED) }

func (p *process) signalAndWait(signal syscall.Signal, change int) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, change, nil)
		if err != unix.EINTR {
			return err
		}
	}
}

// failure is an error about it that carries the end of its log.
func (p *process) failure(what string) error {
	if !p.alive() {
		what = fmt.Sprintf("%s (%s)", what, p.cmd.ProcessState)
	}
	return fmt.Errorf("%s: %s; the end of its log:\n%s", p.name, what, p.lastLines())
}

func (p *process) lastLines() []byte {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-logTail):], []byte("\n"))
}
