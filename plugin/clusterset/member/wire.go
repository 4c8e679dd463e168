package member

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// magic is in front of each object in Kubernetes' protobuf encoding; a
// runtime.Unknown follows, which says what kind of object is in it.
var magic = []byte("k8s\x00")

var errNotAPI = errors.New("not a Kubernetes API")

// field is one of a protobuf message: a number, or bytes.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

// text is a copy of the field's bytes: those are in a buffer.
func (f *field) text() string { return string(f.bytes) }

// fields calls each with the fields of a message, in their order, until an error.
func fields(message []byte, each func(*field) error) error {
	var f field
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		f = field{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(message)
		default: // none that is needed
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := each(&f); err != nil {
			return err
		}
	}
	return nil
}

// unwrap gives the kind of an object, and its message.
func unwrap(object []byte) (kind string, message []byte, err error) {
	content, ok := bytes.CutPrefix(object, magic)
	if !ok {
		return "", nil, errNotAPI
	}
	err = fields(content, func(f *field) error {
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
	err = fields(typeMeta, func(f *field) error {
		if f.number == 2 {
			kind = f.text()
		}
		return nil
	})
	return kind, err
}

// messageReader reads a message from a stream, a field at a time.
type messageReader struct {
	*bufio.Reader
	buffer []byte
}

// next gives the number and the size of the next field that holds bytes, which are
// to be read. There are no others in a list that count.
func (r *messageReader) next() (number protowire.Number, size uint64, err error) {
	for {
		tag, err := binary.ReadUvarint(r)
		if err != nil {
			return 0, 0, err
		}
		number, kind := protowire.DecodeTag(tag)
		if kind != protowire.BytesType && kind != protowire.VarintType {
			return 0, 0, errNotAPI
		}
		size, err := binary.ReadUvarint(r)
		if err != nil || kind == protowire.BytesType {
			return number, size, whole(err)
		}
	}
}

// read gives the next bytes, which are good until it is called again.
func (r *messageReader) read(size uint64, most int) ([]byte, error) {
	if size > uint64(most) {
		return nil, tooLarge("an object's bytes", most)
	}
	if int(size) > cap(r.buffer) {
		r.buffer = make([]byte, size)
	}
	content := r.buffer[:size]
	_, err := io.ReadFull(r, content)
	return content, whole(err)
}

// whole tells of an end where there mustn't be one.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// page is what there is to know of a list's page.
type page struct{ version, next string }

// readPage reads a list, or a page of one, and calls take with the message of each
// of its items: neither the list nor all of its objects are ever there at once.
func readPage(body io.Reader, kind string, take func(message []byte) error) (p page, err error) {
	r := &messageReader{Reader: bufio.NewReader(&bounded{body, maxPage, tooLarge("a list's bytes", maxPage)})}
	start, err := r.read(uint64(len(magic)), maxEnvelope)
	if err != nil {
		return p, err
	}
	if !bytes.Equal(start, magic) {
		return p, errNotAPI
	}
	is := ""
	for {
		number, size, err := r.next()
		if err != nil {
			return p, whole(err)
		}
		if number == 2 { // after its type; nothing that counts comes later
			if is != kind {
				return p, fmt.Errorf("%w: not a %s", errNotAPI, kind)
			}
			err = p.readItems(r, size, take)
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

func (p *page) readItems(outer *messageReader, size uint64, take func([]byte) error) error {
	limit := &io.LimitedReader{R: outer, N: int64(min(size, maxPage+1))}
	r := &messageReader{Reader: bufio.NewReader(limit)}
	for {
		number, size, err := r.next()
		if errors.Is(err, io.EOF) && limit.N == 0 {
			_, _ = io.CopyN(io.Discard, outer, maxEnvelope) // so that the connection can be used again
			return nil
		}
		if err != nil {
			return whole(err)
		}
		most := maxObject
		if number == 1 { // with a token that is sent back
			most = maxEnvelope
		}
		content, err := r.read(size, most)
		switch {
		case err != nil:
		case number == 1:
			err = p.parse(content)
		case number == 2:
			err = take(content)
		}
		if err != nil {
			return err
		}
	}
}

func (p *page) parse(message []byte) error {
	return fields(message, func(f *field) error {
		switch f.number {
		case 2:
			p.version = f.text()
		case 3:
			p.next = f.text()
		}
		return nil
	})
}

// readFrame reads one event of a watch: its length, then itself.
func readFrame(body io.Reader, buffer []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(body, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxObject+maxEnvelope {
		return nil, tooLarge("an object", maxObject)
	}
	if int(n) > cap(buffer) {
		buffer = make([]byte, n)
	}
	_, err := io.ReadFull(body, buffer[:n])
	return buffer[:n], whole(err)
}
