package main

import "syscall"

// childAttributes put a child into a process group of its own, so that Ctrl-C
// reaches the demo alone, and end it with the demo, however that ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
