// Package boundedfile reads files whose paths come from a configuration: only regular
// files, without waiting, and up to a bound. A named pipe has no end until someone writes to
// it, and /dev/zero has none at all.
//
// Read hangs where a disk does: Within and ReadContext have a context.
package boundedfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// MaxCredential is the most bytes of a certificate, a key, a token or a kubeconfig: as much as a
// Secret can hold.
const MaxCredential = 1 << 20

// patience is for a file that only looks like a regular one: some of /proc's wait
// for what happens next.
const patience = time.Second

// Read returns the content of the regular file at path, or of the one that path is
// a symbolic link to. Anything else, or more than most bytes, is an error that says
// what is there and what would be right.
func Read(path string, most int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil { // opening a device may start it
		if err := check(path, info, most); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // it may be another one by now
	if err != nil {
		return nil, err
	}
	if err := check(path, info, most); err != nil {
		return nil, err
	}
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = tooLarge(path, most)
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

func check(path string, info fs.FileInfo, most int64) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: is %s: must be a regular file", path, what(info.Mode()))
	}
	if info.Size() > most {
		return tooLarge(path, most)
	}
	return nil
}

func tooLarge(path string, most int64) error {
	return fmt.Errorf("%s: too large: must be at most %d bytes", path, most)
}

func what(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}
