//go:build e2e

package harness

import (
	"slices"
	"strings"
)

// logFile is in the process's directory: what it says on stdout and stderr.
const logFile = "log"

// What a failed test shows of a log: its last lines, the beginning of each.
const (
	tailLines = 60
	lineBytes = 1000
)

// Log is what it has said so far, its earlier runs included.
func (p *Process) Log() string { p.t.Helper(); return p.Read(logFile) }

// Logged counts the lines of the log that hold all the words.
func (p *Process) Logged(words ...string) int {
	p.t.Helper()
	return Count(strings.Split(p.Log(), "\n"), words...)
}

// Count counts the lines that hold all the words.
func Count(lines []string, words ...string) (found int) {
	for _, line := range lines {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			found++
		}
	}
	return found
}

// WithoutQueries is a log without the lines that the log plugin writes for each
// query from loopback.
func WithoutQueries(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "[INFO] 127.") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// tail is the end of a log, without queries.
func tail(log string) string {
	lines := slices.Collect(strings.Lines(WithoutQueries(log)))
	lines = lines[max(0, len(lines)-tailLines):]
	for i, line := range lines {
		if len(line) > lineBytes {
			lines[i] = line[:lineBytes] + "...\n"
		}
	}
	return strings.Join(lines, "")
}
