package conditions

import (
	"fmt"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// MaxText is how much of an API's own text a line of the log has.
const MaxText = 256

// An API may fail and recover all day, with a line each time. So a member has maxLines at
// once, and then one in linePause.
const (
	maxLines  = 100
	linePause = 10 * time.Second
)

// Log is the operator's: CoreDNS's plugin log.
type Log interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Bounded returns a Log for what a member's API is the cause of, which is written to
// another one.
func Bounded(inner Log) Log { return &boundedLog{inner: inner, since: time.Now()} }

// boundedLog quotes the arguments of a line and bounds the number of lines: an API's
// response, or a name in a certificate, may hold a line break, and after it a forged line.
type boundedLog struct {
	inner Log

	mu      sync.Mutex
	spent   int       // of maxLines, at since
	since   time.Time // when the last of them was returned
	dropped int
}

func (l *boundedLog) Infof(format string, args ...any)    { l.write(l.inner.Infof, format, args) }
func (l *boundedLog) Warningf(format string, args ...any) { l.write(l.inner.Warningf, format, args) }
func (l *boundedLog) Errorf(format string, args ...any)   { l.write(l.inner.Errorf, format, args) }

func (l *boundedLog) write(write func(string, ...any), format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	returned := time.Since(l.since) / linePause
	l.spent = int(max(time.Duration(l.spent)-returned, 0))
	l.since = l.since.Add(returned * linePause)
	if l.spent == maxLines {
		l.dropped++
		return
	}
	l.spent++
	args = quoteArgs(args)
	if l.dropped > 0 {
		format, args = format+" (and %d lines left out)", append(args, l.dropped)
		l.dropped = 0
	}
	write(format, args...)
}

func quoteArgs(args []any) []any {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = quote(arg)
		case error:
			args[i] = quote(arg.Error())
		case fmt.Stringer:
			args[i] = quote(arg.String())
		}
	}
	return args
}

// quote returns text as it may be logged.
func quote(text string) string { return quoted.Line(text, MaxText) }
