package decode

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// magic precedes each object in Kubernetes' protobuf encoding. A runtime.Unknown follows,
// which has the object's kind and its message.
var magic = []byte("k8s\x00")

// ErrNotAPI is the error of a response that no Kubernetes API sends.
var ErrNotAPI = errors.New("not a Kubernetes API")

// field is a field of a protobuf message: its value is a number, or bytes.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

// text copies the field's bytes, which are in a buffer.
func (f field) text() string { return string(f.bytes) }

// fields calls each with a message's fields, in their order, until an error.
func fields(message []byte, each func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		f := field{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(message)
		default: // not needed
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// Unwrap returns an object's kind and its message.
func Unwrap(object []byte) (kind string, message []byte, err error) {
	content, ok := bytes.CutPrefix(object, magic)
	if !ok {
		return "", nil, ErrNotAPI
	}
	err = fields(content, func(f field) error {
		switch f.number {
		case 1:
			kind, err = kindOf(f.bytes)
			return err
		case 2:
			message = f.bytes
		}
		return nil
	})
	return kind, message, err
}

func kindOf(typeMeta []byte) (kind string, err error) {
	err = fields(typeMeta, func(f field) error {
		if f.number == 2 {
			kind = f.text()
		}
		return nil
	})
	return kind, err
}

// messageReader reads a message from a stream, field by field.
type messageReader struct {
	*bufio.Reader
	buffer []byte
}

// next skips to the next field that holds bytes, and returns its number and size. The
// bytes are to be read next.
func (r *messageReader) next() (number protowire.Number, size uint64, err error) {
	for {
		tag, err := binary.ReadUvarint(r)
		if err != nil {
			return 0, 0, err
		}
		number, kind := protowire.DecodeTag(tag)
		if kind != protowire.BytesType && kind != protowire.VarintType {
			return 0, 0, ErrNotAPI
		}
		size, err := binary.ReadUvarint(r)
		if err != nil || kind == protowire.BytesType {
			return number, size, unexpected(err)
		}
	}
}

// read returns the next bytes, which are valid until it is called again.
func (r *messageReader) read(size uint64, most int) ([]byte, error) {
	if size > uint64(most) {
		return nil, TooLarge("an object's bytes", most)
	}
	if int(size) > cap(r.buffer) {
		r.buffer = make([]byte, size)
	}
	content := r.buffer[:size]
	_, err := io.ReadFull(r, content)
	return content, unexpected(err)
}

// unexpected returns err, with io.EOF as io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Page is the metadata of a list, or of a page of one.
type Page struct{ Version, Continue string }

// ReadPage reads a list, or a page of one, and calls each with the message of each of its
// items: the list is never in memory as a whole.
func ReadPage(body io.Reader, kind string, each func(message []byte) error) (p Page, err error) {
	r := &messageReader{Reader: bufio.NewReader(&boundedReader{body, maxPage, TooLarge("a list's bytes", maxPage)})}
	start, err := r.read(uint64(len(magic)), maxEnvelope)
	if err != nil {
		return p, err
	}
	if !bytes.Equal(start, magic) {
		return p, ErrNotAPI
	}
	is := ""
	for {
		number, size, err := r.next()
		if err != nil {
			return p, unexpected(err)
		}
		if number == 2 { // it is after the type, and the rest isn't needed
			if is != kind {
				return p, fmt.Errorf("%w: not a %s", ErrNotAPI, kind)
			}
			err = p.readItems(r, size, each)
			return p, err
		}
		content, err := r.read(size, maxEnvelope)
		if err == nil && number == 1 {
			is, err = kindOf(content)
		}
		if err != nil {
			return p, err
		}
	}
}

func (p *Page) readItems(outer *messageReader, size uint64, each func([]byte) error) error {
	limit := &io.LimitedReader{R: outer, N: int64(min(size, maxPage+1))}
	r := &messageReader{Reader: bufio.NewReader(limit)}
	for {
		number, size, err := r.next()
		if errors.Is(err, io.EOF) && limit.N == 0 {
			_, _ = io.CopyN(io.Discard, outer, maxEnvelope) // so that the connection can be reused
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		most := maxObject
		if number == 1 { // the metadata, with the token to continue with
			most = maxEnvelope
		}
		content, err := r.read(size, most)
		switch {
		case err != nil:
		case number == 1:
			err = p.parse(content)
		case number == 2:
			err = each(content)
		}
		if err != nil {
			return err
		}
	}
}

func (p *Page) parse(message []byte) error {
	return fields(message, func(f field) error {
		switch f.number {
		case 2:
			p.Version = f.text()
		case 3:
			p.Continue = f.text()
		}
		return nil
	})
}

// ReadEvent reads one event of a watch: its type, and the object as it is wrapped. Both
// are in the buffer that it returns, for the next call.
func ReadEvent(body io.Reader, buffer []byte) (event string, object, next []byte, err error) {
	next, err = readFrame(body, buffer)
	if err != nil {
		return "", nil, nil, err
	}
	err = fields(next, func(f field) error {
		switch f.number {
		case 1:
			event = f.text()
		case 2:
			return fields(f.bytes, func(f field) error {
				if f.number == 1 {
					object = f.bytes
				}
				return nil
			})
		}
		return nil
	})
	return event, object, next, err
}

// readFrame reads a length and that many bytes.
func readFrame(body io.Reader, buffer []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(body, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxObject+maxEnvelope {
		return nil, TooLarge("an object", maxObject)
	}
	if int(n) > cap(buffer) {
		buffer = make([]byte, n)
	}
	_, err := io.ReadFull(body, buffer[:n])
	return buffer[:n], unexpected(err)
}
