package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Program is a child process that writes what it says to a file. On Linux it dies
// with this process, however that ends.
type Program struct {
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// Run starts the command, its output appended to the file log.
func Run(command *exec.Cmd, log string) (*Program, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	command.Stdout, command.Stderr = out, out
	if command.SysProcAttr == nil {
		command.SysProcAttr = new(syscall.SysProcAttr)
	}
	dieWithParent(command.SysProcAttr)
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Program{command: command, log: log, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = command.Wait() // its ProcessState says how it ended
	}()
	return p, nil
}

// Running returns an error when it has ended.
func (p *Program) Running() error {
	select {
	case <-p.ended:
		return fmt.Errorf("it has ended: %v", p.command.ProcessState)
	default:
		return nil
	}
}

// Kill ends it as a crash does.
func (p *Program) Kill() {
	_ = p.command.Process.Kill() // fails when it has ended
	<-p.ended
}

// Terminate ends it as an operator does. It returns an error where it doesn't end
// within limit, or not well.
func (p *Program) Terminate(limit time.Duration) error {
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails when it has ended: ProcessState says how
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("it did not end within %v of SIGTERM", limit)
	}
	if !p.command.ProcessState.Success() {
		return errors.New(p.command.ProcessState.String())
	}
	return nil
}

// Signal sends it a signal.
func (p *Program) Signal(s syscall.Signal) error { return p.command.Process.Signal(s) }

// PID is its process's.
func (p *Program) PID() int { return p.command.Process.Pid }

// Log is all that it has said.
func (p *Program) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// version is what CoreDNS prints when all its listeners have started.
const version = "CoreDNS-"

// AwaitListening waits until a CoreDNS has started all its listeners.
func (p *Program) AwaitListening(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	_, err := Poll(ctx, limit, func() error {
		ended := p.Running()
		if strings.Contains(p.Log(), version) {
			return nil
		}
		if ended != nil {
			cancel(ended)
		}
		return errors.New("it isn't listening yet")
	})
	return err
}

// pollPause is between two looks at what is waited for: short against the bounds,
// which are seconds, long against what a look costs.
const pollPause = 5 * time.Millisecond

// Poll looks until look finds nothing wrong, and returns how long that took. It looks
// once at least. After limit it returns an error that says what was wrong last; when
// ctx is done, ctx's cause.
func Poll(ctx context.Context, limit time.Duration, look func() error) (time.Duration, error) {
	start := time.Now()
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for {
		err := look()
		took := time.Since(start)
		if err == nil {
			return took, nil
		}
		if took > limit {
			return took, &LateError{limit, err}
		}
		select {
		case <-ctx.Done():
			return took, context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// LateError is what was waited for in vain.
type LateError struct {
	Limit time.Duration
	Last  error // what was wrong last
}

func (e *LateError) Error() string { return fmt.Sprintf("not within %v: %v", e.Limit, e.Last) }
func (e *LateError) Unwrap() error { return e.Last }
