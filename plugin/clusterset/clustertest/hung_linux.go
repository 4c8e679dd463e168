package clustertest

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// HungFolder mounts a file system that answers nothing, as one does whose server is
// gone, until release or the test's end. The test is skipped where that isn't allowed.
func HungFolder(tb testing.TB) (folder string, release func()) {
	tb.Helper()
	fuse, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		tb.Skip("a disk that hangs takes FUSE: ", err)
	}
	folder = tb.TempDir()
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", fuse, os.Getuid(), os.Getgid())
	if err := unix.Mount("hung", folder, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		_ = unix.Close(fuse)
		tb.Skip("a disk that hangs takes the right to mount: ", err)
	}
	closed := false
	release = func() {
		if closed {
			return
		}
		closed = true
		if err := unix.Close(fuse); err != nil { // ends what hangs, with an error
			tb.Error(err)
		}
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			tb.Error(err)
		}
	}
	tb.Cleanup(release)
	return folder, release
}
