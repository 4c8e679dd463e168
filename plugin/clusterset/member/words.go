package member

import (
	"fmt"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// maxWords is how much of an API's words a line of the log has.
const maxWords = 256

// An API can be well and unwell by turns all day, a line with each turn: so a member
// has maxLines at once, and then one in linePause.
const (
	maxLines  = 100
	linePause = 10 * time.Second
)

// plainLog writes what others say as it is safe to: an API's answer, or a name in a
// certificate, may hold a line break, and after it a line that nobody wrote.
type plainLog struct {
	inner Log

	mu     sync.Mutex
	spent  int       // of maxLines, at since
	since  time.Time // when the last of them came back
	unsaid int
}

func (l *plainLog) Infof(format string, args ...any)    { l.write(l.inner.Infof, format, args) }
func (l *plainLog) Warningf(format string, args ...any) { l.write(l.inner.Warningf, format, args) }
func (l *plainLog) Errorf(format string, args ...any)   { l.write(l.inner.Errorf, format, args) }

func (l *plainLog) write(write func(string, ...any), format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	back := time.Since(l.since) / linePause
	l.spent = int(max(time.Duration(l.spent)-back, 0))
	l.since = l.since.Add(back * linePause)
	if l.spent == maxLines {
		l.unsaid++
		return
	}
	l.spent++
	args = plainWords(args)
	if l.unsaid > 0 {
		format, args = format+" (and %d lines left out)", append(args, l.unsaid)
		l.unsaid = 0
	}
	write(format, args...)
}

func plainWords(args []any) []any {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = words(arg)
		case error:
			args[i] = words(arg.Error())
		case fmt.Stringer:
			args[i] = words(arg.String())
		}
	}
	return args
}

// words is s as it may go into a log.
func words(s string) string { return quoted.Line(s, maxWords) }
