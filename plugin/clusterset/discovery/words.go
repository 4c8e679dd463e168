package discovery

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of an error's text, in errors and bytes: what a log line, or a reader, can
// take of a document that is wrong all over, and of what an API says.
const (
	maxErrors = 20
	maxError  = 400
	maxQuoted = 200
	maxSaid   = 256
)

// said is an error's text, which may come from outside, as it may go into a log: on one
// line, with escapes for what isn't printed, and no longer than so many bytes.
func said(err error, most int) string {
	return cut(escaped(cut(err.Error(), 2*most)), most)
}

func escaped(text string) string {
	var b strings.Builder
	for i, r := range text {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
			continue
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		one := strconv.Quote(text[i : i+size])
		b.WriteString(one[1 : len(one)-1])
	}
	return b.String()
}

// cut is the text without its middle where it has more than so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	half := (most - len("…")) / 2
	return strings.ToValidUTF8(text[:half]+"…"+text[len(text)-half:], "")
}
