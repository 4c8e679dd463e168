package document

import (
	"fmt"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Severity is how bad a finding is.
type Severity string

// An Error makes a document bad: it isn't used. A Warning doesn't.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is something that is wrong with a document.
type Finding struct {
	Severity Severity `json:"severity"`
	// Key is the document's: a ConfigMap's key, or a file's name.
	Key string `json:"key"`
	// Path is where in the document: "clusters[2].serviceCIDRs[0]", "" for all of it.
	Path string `json:"path,omitempty"`
	// Value is what is there, uncut: a string or a number. It is nil where the finding is
	// about no single value.
	Value any `json:"value,omitempty"`
	// Message is what is wrong, and mostly what would be right. It may hold words from the
	// document as they are.
	Message string `json:"message"`
}

const unknownField = "unknown field"

// Bounds of a finding's text, in bytes: what a line of a log, or a reader, can take.
const (
	maxText   = 400
	maxQuoted = 200
)

// String returns one line, `KEY: PATH: "VALUE": MESSAGE`, fit for a log: without controls,
// and at most 400 bytes, in which a long value has no middle.
func (f Finding) String() string {
	if f.Message == unknownField {
		return quoted.Ends(fmt.Sprintf("%s: %s %q", f.Key, f.Message, quoted.Cut(f.Path, 4*maxText)), maxText)
	}
	text := f.Key + ": "
	if f.Path != "" {
		text += f.Path + ": "
	}
	switch value := f.Value.(type) {
	case nil:
	case string:
		text += fmt.Sprintf("%q: ", quoted.Cut(value, maxQuoted))
	default:
		text += fmt.Sprint(value, ": ")
	}
	return quoted.Ends(text+f.Message, maxText)
}

// Cut returns the finding with long texts without their middles.
func (f Finding) Cut() Finding {
	if value, is := f.Value.(string); is {
		f.Value = quoted.Cut(value, maxQuoted)
	}
	f.Path, f.Message = quoted.Cut(f.Path, maxQuoted), quoted.Cut(f.Message, maxText)
	return f
}

// maxFindings is how many are kept of a document that is wrong all over.
const maxFindings = 1000

// collector keeps what is found.
type collector struct {
	key   string // of the document that is read
	found []Finding
	more  int // beside them
	// tooMuch is what ended the reading, if anything did.
	tooMuch *Finding
}

func (c *collector) add(f Finding) {
	if len(c.found) == maxFindings {
		c.more++
		return
	}
	c.found = append(c.found, f)
}

// report adds an error about no single value.
func (c *collector) report(path, format string, args ...any) {
	if len(c.found) == maxFindings { // no text for what isn't kept
		c.more++
		return
	}
	c.add(Finding{Severity: Error, Key: c.key, Path: path, Message: fmt.Sprintf(format, args...)})
}

// wrong adds an error about a value.
func (c *collector) wrong(path string, value any, message string) {
	c.add(Finding{Severity: Error, Key: c.key, Path: path, Value: value, Message: message})
}

// end adds an error that ends the reading.
func (c *collector) end(path, message string) {
	c.tooMuch = &Finding{Severity: Error, Key: c.key, Path: path, Message: message}
}
