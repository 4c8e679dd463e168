package statuspage

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// shared makes a status's text once for those who read at the same time: a text of hundreds of
// members has megabytes, and readers that take it slowly, or not at all, hold it for long.
type shared struct {
	source Source

	mu      sync.Mutex
	current *text // nil where nobody reads one
}

// text is a status as JSON.
type text struct {
	code    int
	plain   []byte
	zipped  func() []byte
	made    time.Time
	readers int
}

// maxAge is how old a text may be that one more reader is given. Who reads alone gets a new one.
const maxAge = time.Second

// get returns a text; release has to be called when it has been read.
func (s *shared) get() (t *text, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || time.Since(s.current.made) > maxAge {
		code, plain := marshal(http.StatusOK, s.source.Statuses())
		s.current = &text{code: code, plain: plain, made: time.Now(), zipped: sync.OnceValue(func() []byte { return zip(plain) })}
	}
	t = s.current
	t.readers++
	return t, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.readers--; t.readers == 0 && s.current == t {
			s.current = nil
		}
	}
}

// marshal returns a value as JSON, and the code to send it with.
func marshal(code int, value any) (int, []byte) {
	plain, err := json.Marshal(value)
	if err != nil {
		code, plain = http.StatusInternalServerError, []byte(`{"error":"the status can't be written as JSON"}`)
	}
	return code, append(plain, '\n')
}

// zip compresses: members' statuses are alike, to a tenth and less.
func zip(plain []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // it is a level
	_, _ = w.Write(plain)                           // memory can be written to
	_ = w.Close()
	return b.Bytes()
}

// wantsZipped reports whether a request's Accept-Encoding has gzip, and not refused.
func wantsZipped(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, weight, weighted := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		if !weighted {
			return true
		}
		q, isQ := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return isQ && err == nil && value > 0
	}
	return false
}

const (
	// chunk has to be taken within chunkTime: who takes nothing holds nothing for long.
	chunk     = 64 << 10
	chunkTime = 5 * time.Second
)

// write writes a text that may be large.
func write(w http.ResponseWriter, body []byte) {
	control := http.NewResponseController(w)
	end := time.Now().Add(writeTime)
	for len(body) > 0 {
		deadline := time.Now().Add(chunkTime)
		if deadline.After(end) {
			deadline = end
		}
		_ = control.SetWriteDeadline(deadline) // a recorder has none
		n, err := w.Write(body[:min(chunk, len(body))])
		if err != nil {
			return // who asked has gone
		}
		body = body[n:]
	}
}
