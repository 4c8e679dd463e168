package apiclient

import (
	"encoding/json"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// encoding is how the events of a watch are written.
type encoding interface {
	// next reads the next event; its object's message is valid until the next call.
	next() (event, kind string, message []byte, err error)
	// status decodes the object of an error.
	status(message []byte) (*metav1.Status, error)
}

// maxKeptBuffer is how large a buffer a watch keeps for the next event: most are small.
const maxKeptBuffer = 64 << 10

// protobufEvents are in Kubernetes' protobuf.
type protobufEvents struct {
	body   io.Reader
	buffer []byte
}

func (e *protobufEvents) next() (event, kind string, message []byte, err error) {
	event, wrapped, buffer, err := decode.ReadEvent(e.body, e.buffer)
	if err != nil {
		return "", "", nil, err
	}
	if e.buffer = buffer[:0]; cap(buffer) > maxKeptBuffer {
		e.buffer = nil
	}
	kind, message, err = decode.Unwrap(wrapped)
	return event, kind, message, err
}

func (*protobufEvents) status(message []byte) (*metav1.Status, error) {
	status := new(metav1.Status)
	return status, status.Unmarshal(message)
}

// jsonEvents are in JSON.
type jsonEvents struct{ *decode.JSONEvents }

func (e jsonEvents) next() (event, kind string, message []byte, err error) {
	if event, message, err = e.Next(); err == nil {
		kind, err = decode.JSONKind(message)
	}
	return event, kind, message, err
}

func (jsonEvents) status(message []byte) (*metav1.Status, error) {
	status := new(metav1.Status)
	return status, json.Unmarshal(message, status)
}
