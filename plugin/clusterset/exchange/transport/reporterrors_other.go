//go:build !linux

package transport

import "syscall"

// reportErrors does nothing where the kernel has no such option.
func reportErrors(string, string, syscall.RawConn) error { return nil }
