// Package quoted makes text from outside (an API's words, the names in a certificate, a
// document's values) fit for one line of a log: without line breaks or anything else that
// isn't printed, and bounded.
package quoted

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Line returns text with Go's escapes for what isn't printed (controls, line breaks, what
// changes the direction of writing, broken UTF-8). It ends in "..." where that would be more
// than most bytes.
func Line(text string, most int) string {
	const more = "..."
	var b strings.Builder
	for len(text) > 0 {
		one, rest := next(text)
		if b.Len()+len(one) > most || rest != "" && b.Len()+len(one) > most-len(more) {
			return b.String() + more
		}
		b.WriteString(one)
		text = rest
	}
	return b.String()
}

// Ends is Line for a text whose end says the most, as an error's does: where it would be more
// than most bytes, its middle is left out.
func Ends(text string, most int) string {
	var b strings.Builder
	for text = Cut(text, 2*most); len(text) > 0; {
		one, rest := next(text)
		b.WriteString(one)
		text = rest
	}
	return Cut(b.String(), most)
}

// Cut returns text, which is still to be quoted (%q), without its middle where it is more
// than most bytes.
func Cut(text string, most int) string {
	const gap = "…"
	if len(text) <= most {
		return text
	}
	half := (most - len(gap)) / 2
	return strings.ToValidUTF8(text[:half]+gap+text[len(text)-half:], "")
}

// next returns the first character of text, escaped where it isn't printed, and the rest.
func next(text string) (one, rest string) {
	r, size := utf8.DecodeRuneInString(text)
	one, rest = text[:size], text[size:]
	if !strconv.IsPrint(r) || r == utf8.RuneError {
		one = strconv.Quote(one)
		one = one[1 : len(one)-1]
	}
	return one, rest
}
