package harness

import "syscall"

func dieWithParent(child *syscall.SysProcAttr) { child.Pdeathsig = syscall.SIGKILL }
