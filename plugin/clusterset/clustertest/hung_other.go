//go:build !linux

package clustertest

import "testing"

// HungFolder mounts a file system that answers nothing; here it skips the test.
func HungFolder(tb testing.TB) (folder string, release func()) {
	tb.Skip("a disk that hangs takes FUSE")
	return "", nil
}
