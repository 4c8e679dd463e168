//go:build !linux

package harness

import "syscall"

// dieWithParent does nothing: only Linux ends children with their parent.
func dieWithParent(*syscall.SysProcAttr) {}
