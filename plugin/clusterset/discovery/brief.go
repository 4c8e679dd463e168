package discovery

import "errors"

// told is an error for a log, which may hold words from outside, and for a client, which
// gets none of them.
type told struct{ text, brief string }

func (t told) Error() string { return t.text }

// Brief is for a client.
func (t told) Brief() string { return t.brief }

func brief(err error) string {
	if t, ok := errors.AsType[told](err); ok {
		return t.brief
	}
	return err.Error()
}
