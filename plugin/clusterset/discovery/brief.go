package discovery

import "errors"

// Bounds of an error's text, in bytes.
const (
	maxError = 400
	maxSaid  = 256 // of what an API said
	maxBrief = 100 // for a client
)

// logError is an error for a log, which may hold words from outside, with a brief text of
// our own for a client.
type logError struct{ text, brief string }

func (e logError) Error() string { return e.text }

// Brief returns the text for a client.
func (e logError) Brief() string { return e.brief }

func brief(err error) string {
	if e, ok := errors.AsType[logError](err); ok {
		return e.brief
	}
	return err.Error()
}
