package cli

import "strings"

// Colour is one of a terminal's, as an escape sequence.
type Colour string

// The colours. What they say is said in words too.
const (
	Red    Colour = "\x1b[31m"
	Green  Colour = "\x1b[32m"
	Yellow Colour = "\x1b[33m"
	Bold   Colour = "\x1b[1m"
	Faint  Colour = "\x1b[2m"
)

// IsTerminal reports whether standard output is a terminal.
func (c *Context) IsTerminal() bool { return isTerminal(c.Out) }

// HasColour reports whether to write colours to standard output: to a terminal that has
// them, and whose user doesn't mind (no-color.org).
func (c *Context) HasColour() bool {
	return c.IsTerminal() && c.Getenv("NO_COLOR") == "" && c.Getenv("TERM") != "dumb"
}

// Paint returns the text in the colour, where there are colours.
func (c *Context) Paint(colour Colour, text string) string {
	if text == "" || !c.HasColour() {
		return text
	}
	return string(colour) + text + "\x1b[0m"
}

// ASCII reports whether to write ASCII alone: the locale (POSIX's order of variables) isn't
// UTF-8, or the terminal is a dumb one.
func (c *Context) ASCII() bool {
	if c.Getenv("TERM") == "dumb" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(c.Getenv(name)); locale != "" {
			return !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8")
		}
	}
	return true
}

// Mark returns text, or its stand-in where ASCII is asked for.
func (c *Context) Mark(text, ascii string) string {
	if c.ASCII() {
		return ascii
	}
	return text
}
