// Package walkrecorder sends the calls of the plugin's functions to the test in
// test/walk, which adds this package to a build of CoreDNS.
package walkrecorder

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
)

// room is for the calls that nobody has read yet.
const room = 1 << 17

// calls is where calls are written to, nil while nobody listens.
var calls atomic.Pointer[chan string]

// init listens at the Unix socket of the environment variable. Calls are recorded
// while a client is connected, one at a time.
func init() {
	path := os.Getenv("CLUSTERSET_WALK")
	if path == "" {
		return
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				panic(err)
			}
			record(conn)
		}
	}()
}

// record writes the calls to conn until the client closes it.
func record(conn net.Conn) {
	defer conn.Close()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(ended)
	}()
	to := make(chan string, room)
	calls.Store(&to)
	defer calls.Store(nil)
	line := "recording\n"
	for {
		if _, err := io.WriteString(conn, line); err != nil {
			return
		}
		select {
		case line = <-to:
		case <-ended:
			return
		}
	}
}

// Enter records that a function is called, Leave that it returns.
func Enter(function, file string) { note("enter", function, file) }
func Leave(function, file string) { note("leave", function, file) }

func note(what, function, file string) {
	to := calls.Load()
	if to == nil {
		return
	}
	var stack [64]byte
	header := stack[:runtime.Stack(stack[:], false)] // "goroutine 7 [running]:..."
	goroutine, _, _ := bytes.Cut(bytes.TrimPrefix(header, []byte("goroutine ")), []byte(" "))
	select {
	case *to <- fmt.Sprintf("%s %s %s %s\n", what, goroutine, function, file):
	default:
		panic("walkrecorder: too many calls")
	}
}
