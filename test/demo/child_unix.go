//go:build unix && !linux

package main

import "syscall"

// childAttributes put a child into a process group of its own, so that Ctrl-C
// reaches the demo alone.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
