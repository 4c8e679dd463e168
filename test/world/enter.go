//go:build e2e && linux

package world

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of the program that Enter runs again.
const inside = "CLUSTERSET_WORLD"

// Enter returns inside a network namespace of its own: it runs this program again in
// one, with the same arguments, and ends with its exit status. It is called first in
// main or TestMain.
func Enter() {
	if os.Getenv(inside) != "" {
		if err := setUp(); err != nil {
			fmt.Fprintln(os.Stderr, "world:", err)
			os.Exit(1)
		}
		return
	}
	status, err := again()
	if err != nil {
		fmt.Fprintf(os.Stderr, "world: no network namespace: %v\nIt needs root, or a system that lets users make namespaces.\n", err)
	}
	os.Exit(status)
}

// again runs this program in a new network namespace. The child dies with this process:
// the kernel takes the thread that started it for its parent.
func again() (status int, err error) {
	runtime.LockOSThread()
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	command := exec.Command(self, os.Args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), inside+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		command.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	// A terminal sends its signals to both; what another process sends is handed on.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	if err := command.Start(); err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			_ = command.Process.Signal(s) // it may have ended
		}
	}()
	err = command.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// subnets are what is local in the namespace: all of each is, as 127.0.0.0/8 is, because
// it is on the loopback device.
var subnets = []struct{ address, mask [4]byte }{
	{[4]byte{10, 0, 0, 1}, [4]byte{255, 0, 0, 0}},        // services and pods
	{[4]byte{192, 168, 0, 1}, [4]byte{255, 255, 255, 0}}, // nodes
}

// setUp brings the loopback device up, with the subnets.
func setUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	if err := device("lo", func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP)
		return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, r)
	}); err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	for n, s := range subnets {
		name := fmt.Sprintf("lo:%d", n+1)
		if err := setInet4(socket, name, unix.SIOCSIFADDR, s.address); err != nil {
			return err
		}
		if err := setInet4(socket, name, unix.SIOCSIFNETMASK, s.mask); err != nil {
			return err
		}
	}
	return nil
}

func setInet4(socket int, name string, request uint, value [4]byte) error {
	err := device(name, func(r *unix.Ifreq) error {
		if err := r.SetInet4Addr(value[:]); err != nil {
			return err
		}
		return unix.IoctlIfreq(socket, request, r)
	})
	if err != nil {
		return fmt.Errorf("%s %v: %w", name, value, err)
	}
	return nil
}

func device(name string, do func(*unix.Ifreq) error) error {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	return do(r)
}
