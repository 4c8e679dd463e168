//go:build e2e && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// stage is what the packages for tests are given in place of a test: they start things
// for its length, and it ends when they fail.
type stage struct {
	testing.TB // nil: what isn't here isn't used

	ctx      context.Context
	cleanups []func()
	failed   error
}

// errEnded is the panic of a failure; perform recovers it.
var errEnded = errors.New("ended")

// perform calls f, and then what f and those it called have left to be cleaned up. It
// returns what failed. An interrupt ends it in the same way.
func perform(f func(*stage)) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s := &stage{ctx: ctx}
	func() {
		defer s.recover()
		f(s)
	}()
	for n := len(s.cleanups) - 1; n >= 0; n-- {
		func() {
			defer s.recover()
			s.cleanups[n]()
		}()
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return s.failed
}

func (s *stage) recover() {
	if r := recover(); r != nil && r != any(errEnded) {
		panic(r)
	}
}

func (*stage) Helper()                    {}
func (*stage) Name() string               { return "demo-kube" }
func (s *stage) Context() context.Context { return s.ctx }
func (s *stage) Failed() bool             { return s.failed != nil }
func (s *stage) Cleanup(f func())         { s.cleanups = append(s.cleanups, f) }
func (*stage) Logf(string, ...any)        {} // what a test says beside its failure

func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "clusterset-demo-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *stage) Error(args ...any) {
	if s.failed == nil {
		s.failed = errors.New(fmt.Sprint(args...))
	}
}

func (s *stage) Errorf(format string, args ...any) { s.Error(fmt.Sprintf(format, args...)) }
func (s *stage) Fatal(args ...any)                 { s.Error(args...); s.FailNow() }
func (s *stage) Fatalf(format string, args ...any) { s.Errorf(format, args...); s.FailNow() }

func (s *stage) FailNow() {
	if s.failed == nil {
		s.failed = errEnded
	}
	panic(errEnded)
}
