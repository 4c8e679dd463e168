package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// width is what fits on everybody's screen.
const width = 100

// output is what the reader sees.
type output struct {
	out      io.Writer
	colours  bool
	chapters int
}

func newOutput(f *os.File) *output {
	return &output{out: f, colours: isTerminal(f) && os.Getenv("NO_COLOR") == ""}
}

// isTerminal tells whether somebody is there: a character device, and not the
// one that everything without a terminal is given.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

func (p *output) colour(code, text string) string {
	if !p.colours {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *output) bold(text string) string  { return p.colour("1", text) }
func (p *output) dim(text string) string   { return p.colour("2", text) }
func (p *output) red(text string) string   { return p.colour("31", text) }
func (p *output) green(text string) string { return p.colour("32", text) }
func (p *output) cyan(text string) string  { return p.colour("36", text) }

func (p *output) line(text string) { fmt.Fprintln(p.out, text) }

// title begins a chapter.
func (p *output) title(text string) {
	p.chapters++
	p.line(p.bold(fmt.Sprintf("%d. %s", p.chapters, text)) + "\n")
}

// say tells something, in paragraphs of its own.
func (p *output) say(format string, args ...any) {
	for _, part := range wrap(fmt.Sprintf(format, args...), width-6) {
		p.line("  " + part)
	}
	p.line("")
}

// shell prints a command for the reader.
func (p *output) shell(format string, args ...any) {
	p.line("    " + p.cyan("$ "+fmt.Sprintf(format, args...)))
}

// quote prints a file or a log.
func (p *output) quote(text string) {
	for paragraph := range strings.Lines(text) {
		for i, part := range wrap(strings.TrimRight(paragraph, "\n"), width-8) {
			p.line(p.dim("    | " + indent(i) + part))
		}
	}
	p.line("")
}

// lookup prints a question as its command, and its answer; what it should be
// too, when it isn't that.
func (p *output) lookup(l lookup, command string, a answer, right bool) {
	mark := p.green("✓")
	if !right {
		mark = p.red("✗")
	}
	p.line(fmt.Sprintf("  %s %s", mark, l.caption))
	p.shell("%s", command)
	p.answer(a)
	if l.within > 0 {
		p.line(p.dim(fmt.Sprintf("      after %s", a.took.Round(10*time.Microsecond))))
	}
	if !right {
		p.line(p.red("      should be:"))
		for _, want := range l.want {
			p.line(p.red("      " + want))
		}
		if l.within > 0 {
			p.line(p.red(fmt.Sprintf("      within %s", l.within)))
		}
	}
	p.line("")
}

// answer prints the lines with their columns in line.
func (p *output) answer(a answer) {
	owners, types := 0, 0
	for _, n := range a.lines {
		owners = max(owners, utf8.RuneCountInString(shorten(n.owner)))
		types = max(types, len(n.rrtype))
	}
	for _, n := range a.lines {
		if n.owner == "" {
			for i, part := range wrap(n.text, width-8) {
				p.line("      " + indent(i) + part)
			}
			continue
		}
		mark := " "
		if n.additional {
			mark = "+"
		}
		p.line(fmt.Sprintf("    %s %-*s  %d  %-*s  %s", mark, owners, shorten(n.owner), n.ttl, types, n.rrtype, n.text))
	}
}

// shorten leaves out the middle of a name that would fill the line, as those of
// IPv6 addresses do.
func shorten(name string) string {
	const most, end = 50, 20
	if len(name) <= most {
		return name
	}
	return name[:end] + "…" + name[len(name)-end:]
}

// indent sets the lines that continue a broken one apart.
func indent(i int) string {
	if i == 0 {
		return ""
	}
	return "  "
}

// wrap breaks text at spaces into lines of at most columns, where it can.
func wrap(text string, columns int) []string {
	var lines []string
	for len(text) > columns {
		at := strings.LastIndexByte(text[:columns+1], ' ')
		if at <= 0 {
			break
		}
		lines = append(lines, text[:at])
		text = text[at+1:]
	}
	return append(lines, text)
}
