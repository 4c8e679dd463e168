package apiclient

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/time/rate"
)

// TestFrames: of an HTTP/2 connection a client reads the frames of known types, whole, and
// all count.
func TestFrames(t *testing.T) {
	var sent bytes.Buffer
	f := http2.NewFramer(&sent, nil)
	large := bytes.Repeat([]byte("x"), 16<<10)
	for _, err := range []error{
		f.WriteSettings(), f.WriteRawFrame(0x77, 0, 0, large), f.WritePing(false, [8]byte{1}), f.WriteRawFrame(http2.FramePriorityUpdate, 0, 0, nil),
		f.WriteData(1, false, nil), f.WriteData(1, false, large), f.WritePriority(1, http2.PriorityParam{}), f.WriteRSTStream(1, 0),
		f.WriteWindowUpdate(0, 1), f.WriteGoAway(0, 0, nil), f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3}), f.WriteContinuation(3, true, large[:9]),
		f.WriteRawFrame(0xff, 0, 0, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l := Limiter{rate.NewLimiter(rate.Limit(1e-9), burst)}
	r := &frames{conns: NewConns(t.Context(), l), buffer: bufio.NewReader(&sent)}
	f = http2.NewFramer(nil, r)
	var got []http2.FrameType
	bytes := 0
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		got = append(got, frame.Header().Type)
		bytes += int(frame.Header().Length)
	}
	want := []http2.FrameType{
		http2.FrameSettings, http2.FramePing, http2.FrameData, http2.FrameData, http2.FrameRSTStream, http2.FrameWindowUpdate,
		http2.FrameGoAway, http2.FrameHeaders, http2.FrameContinuation,
	}
	if !slices.Equal(got, want) || bytes != 8+len(large)+4+4+8+9 {
		t.Errorf("%v, %d bytes", got, bytes)
	}
	if spent := burst - int(l.Tokens()); spent != 14*frameCost {
		t.Errorf("counted as %d frames", spent/frameCost)
	}
}
