// Package boundedyaml counts the values that a YAML parser would make of a text, before it
// does: it needs a third of a kilobyte for a value of two bytes, and can't be stopped.
package boundedyaml

import (
	"errors"
	"strings"
)

// MaxDirectives bounds the lines that begin with "%": the parser compares each with all
// others.
const MaxDirectives = 100

// What a text has too many of.
var (
	ErrItems      = errors.New("too many lines, keys and list items")
	ErrDirectives = errors.New("too many directives")
)

// Items returns how many lines a text has, and indicators that begin a value or a key: no
// value is without one of either. What a comment holds doesn't count. An error is of more
// than most items, or than MaxDirectives, at that line.
func Items(text string, most int) (items, line int, err error) {
	directives, blank, comment := 0, true, false
	line = 1
	for i := range len(text) {
		broken := breaks(text, i)
		switch {
		case broken:
			line++
			items++
		case comment:
			continue
		case begins(text, i):
			items++
		case blank && text[i] == '%':
			directives++
		}
		comment = blank && text[i] == '#'
		blank = broken || blank && strings.IndexByte(" \t", text[i]) >= 0
		if items > most {
			return items, line, ErrItems
		}
		if directives > MaxDirectives {
			return items, line, ErrDirectives
		}
	}
	return items, line, nil
}

// breaks reports whether a line ends with the byte at i: YAML 1.1 has three breaks
// that YAML 1.2 hasn't.
func breaks(text string, i int) bool {
	switch text[i] {
	case '\n':
		return true
	case '\r':
		return !strings.HasPrefix(text[i+1:], "\n")
	case '\x85':
		return strings.HasSuffix(text[:i], "\xc2")
	case '\xa8', '\xa9':
		return strings.HasSuffix(text[:i], "\xe2\x80")
	}
	return false
}

// begins reports whether the byte at i may begin a value or a key.
func begins(text string, i int) bool {
	switch text[i] {
	case ',', '[', '{':
		return true
	case '-', '?', ':':
		return i+1 == len(text) || strings.IndexByte(" \t\r\n\xc2\xe2", text[i+1]) >= 0
	}
	return false
}
