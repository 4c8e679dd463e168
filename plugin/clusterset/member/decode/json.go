package decode

import (
	"encoding/json"
	"fmt"
	"io"
)

// Objects of kinds that a CustomResourceDefinition defines come in JSON alone: API servers
// know no protobuf of them.

// jsonReader reads JSON values from a stream, each of a bounded size.
type jsonReader struct {
	*json.Decoder
	bound *boundedReader
}

func newJSONReader(body io.Reader) *jsonReader {
	bound := &boundedReader{inner: body}
	return &jsonReader{json.NewDecoder(bound), bound}
}

// limit has what is read next end after that many bytes.
func (r *jsonReader) limit(what string, most int) {
	r.bound.left, r.bound.err = most, TooLarge(what, most)
}

// read decodes the next value into to.
func (r *jsonReader) read(to any, what string, most int) error {
	r.limit(what, most)
	before := r.InputOffset()
	if err := r.Decode(to); err != nil {
		return err
	}
	if r.InputOffset()-before > int64(most) { // a part of it was there before
		return r.bound.err
	}
	return nil
}

// more reports whether there is another member or item.
func (r *jsonReader) more() bool {
	r.limit("a list's metadata", maxEnvelope)
	return r.More()
}

// expect reads the delimiter, or null where that does for a list.
func (r *jsonReader) expect(want json.Delim) (null bool, err error) {
	r.limit("a list's metadata", maxEnvelope)
	token, err := r.Token()
	if err != nil {
		return false, unexpected(err)
	}
	if token != want && (token != nil || want != '[') {
		return false, fmt.Errorf("%w: %v, not %v", ErrNotAPI, token, want)
	}
	return token == nil, nil
}

// ReadJSONPage reads a list, or a page of one, and calls each with the text of each of its
// items, valid until it returns: the list is never in memory as a whole.
func ReadJSONPage(body io.Reader, kind string, each func(message []byte) error) (p Page, err error) {
	whole := &boundedReader{body, maxPage, TooLarge("a list's bytes", maxPage)}
	r := newJSONReader(whole)
	if _, err := r.expect('{'); err != nil {
		return p, err
	}
	is := ""
	for r.more() {
		if err := p.readMember(r, &is, each); err != nil {
			return p, unexpected(err)
		}
	}
	if _, err := r.expect('}'); err != nil {
		return p, err
	}
	if is != kind { // keys are sorted: the items come first
		return p, fmt.Errorf("%w: not a %s", ErrNotAPI, kind)
	}
	_, _ = io.CopyN(io.Discard, whole, maxEnvelope) // so that the connection can be reused
	return p, nil
}

// readMember reads a list's next member.
func (p *Page) readMember(r *jsonReader, kind *string, each func([]byte) error) error {
	key, err := r.Token()
	if err != nil {
		return err
	}
	switch key {
	case "kind":
		return r.read(kind, "a list's kind", maxEnvelope)
	case "metadata":
		var m struct{ ResourceVersion, Continue string }
		err := r.read(&m, "a list's metadata", maxEnvelope)
		p.Version, p.Continue = m.ResourceVersion, m.Continue
		return err
	case "items":
		return readJSONItems(r, each)
	}
	var unread json.RawMessage
	return r.read(&unread, "a list's metadata", maxEnvelope)
}

func readJSONItems(r *jsonReader, each func([]byte) error) error {
	null, err := r.expect('[')
	if null || err != nil {
		return err
	}
	var item json.RawMessage // its memory is used again
	for r.more() {
		if err := r.read(&item, "an object's bytes", maxObject); err != nil {
			return err
		}
		if err := each(item); err != nil {
			return err
		}
	}
	_, err = r.expect(']')
	return err
}

// JSONEvents reads the events of a watch.
type JSONEvents struct{ reader *jsonReader }

// NewJSONEvents returns the events of a watch's body.
func NewJSONEvents(body io.Reader) *JSONEvents { return &JSONEvents{newJSONReader(body)} }

// Next reads an event: its type, and the object.
func (e *JSONEvents) Next() (event string, object []byte, err error) {
	var next struct {
		Type   string
		Object json.RawMessage
	}
	err = e.reader.read(&next, "an object", maxObject+maxEnvelope)
	return next.Type, next.Object, err
}

// JSONKind returns an object's kind.
func JSONKind(object []byte) (string, error) {
	var o struct{ Kind string }
	err := json.Unmarshal(object, &o)
	return o.Kind, err
}
