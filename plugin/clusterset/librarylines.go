package clusterset

import (
	"bytes"
	"io"
	golog "log"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// net/http has no option for where its client writes what it thinks of a server: that
// is the process's log. So whoever answers for a member, by HTTPS or as its API, can
// have it write without an end: a line for each frame of a type that it doesn't know,
// or what comes over a connection unasked for, 4 KiB of it.

// libraryTexts are what such lines begin with.
var libraryTexts = []string{"Transport: unhandled", "Unsolicited response", "protocol error: received", "http2: "}

const (
	libraryLines = 10          // at once
	libraryEach  = time.Minute // for one more
	libraryWidth = 256         // bytes
)

// libraryLog passes log lines on; it rate-limits and truncates those that begin with libraryTexts.
type libraryLog struct {
	inner io.Writer
	lines *rate.Limiter
}

// limitLibraries has the process's log pass through a libraryLog.
func limitLibraries() {
	if _, is := golog.Writer().(*libraryLog); !is {
		golog.SetOutput(&libraryLog{golog.Writer(), rate.NewLimiter(rate.Every(libraryEach), libraryLines)})
	}
}

// Write implements io.Writer. It is called with one line at a time.
func (l *libraryLog) Write(line []byte) (int, error) {
	if !isLibrarys(line) {
		return l.inner.Write(line)
	}
	if !l.lines.Allow() {
		return len(line), nil
	}
	text := strings.Trim(strconv.Quote(string(line[:min(len(line)-1, libraryWidth)])), `"`)
	_, err := io.WriteString(l.inner, text+"\n")
	return len(line), err
}

// isLibrarys reports whether one of the texts is where a line begins, after the time
// that a log may have there.
func isLibrarys(line []byte) bool {
	const time = len("2006/01/02 15:04:05.000000 ")
	for _, text := range libraryTexts {
		if at := bytes.Index(line[:min(len(line), time+len(text))], []byte(text)); at >= 0 && !bytes.Contains(line[:at], []byte("[")) {
			return true
		}
	}
	return false
}
