package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// Errors are in our own words and the system's: what a gateway, a name server or a certificate
// says is in none.
var (
	errURL       = errors.New("not a URL that can be probed")
	errTimeout   = errors.New("timeout")
	errNoHost    = errors.New("host name not resolved")
	errFailed    = errors.New("failed")
	errResources = errors.New("out of resources of this machine")
)

// statusError is an HTTP status that isn't a live gateway's.
type statusError int

func (s statusError) Error() string { return "status " + strconv.Itoa(int(s)) }

// failed returns why a stage of a probe failed.
func failed(ctx context.Context, stage string, err error) error {
	return fmt.Errorf("%s: %w", stage, cause(ctx, err))
}

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return errTimeout
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errTimeout
	}
	errno, isErrno := errors.AsType[syscall.Errno](err)
	_, isResolver := errors.AsType[*net.DNSError](err)
	switch {
	case isErrno && slices.Contains(resources, errno):
		return errResources
	case isResolver:
		return errNoHost
	case isErrno:
		return errno
	}
	return errFailed
}

var resources = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}
