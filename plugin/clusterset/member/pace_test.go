package member

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/time/rate"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// endless is a connection that brings more and more.
type endless struct{ net.Conn }

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error               { return nil }

// TestPace: after its first room, an API's connections are read at the pace, all of a
// member's together and whatever session they are of; and its end ends the waiting.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const burst, each, size = 1 << 20, 1 << 20, 64 << 10
		p, began := pace{rate.NewLimiter(each, burst)}, time.Now()
		buffer := make([]byte, size)
		for range 4 { // sessions
			c := newConns(t.Context(), p)
			conn, _ := c.keep(endless{})
			for range burst / size {
				_, _ = conn.Read(buffer)
			}
		}
		if took := time.Since(began); took < 2900*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("4 MiB in %v, want 3 s", took)
		}
		c := newConns(t.Context(), p)
		conn, _ := c.keep(endless{})
		began = time.Now()
		go c.close()
		_, _ = conn.Read(make([]byte, burst))
		if took := time.Since(began); took != 0 {
			t.Errorf("waited for %v at the session's end", took)
		}
	})
}

// TestPaceOfEvents: a flood of valid events is taken at the pace.
func TestPaceOfEvents(t *testing.T) {
	const burst, each = 200, 100
	a := startAPI(t, true, map[string]http.HandlerFunc{servicesPath + "?watch": unstreamed(func(w http.ResponseWriter, r *http.Request) {
		beginWatch(w)
		event := frame(t, "ADDED", service("s0000"))
		for n := 0; r.Context().Err() == nil; n++ {
			if _, err := w.Write(bytes.ReplaceAll(event, []byte("s0000"), fmt.Appendf(nil, "s%04d", n%10_000))); err != nil {
				return
			}
		}
	})})
	s := startMember(t)
	s.pace = pace{rate.NewLimiter(each*objectCost, burst*objectCost)}
	began := time.Now()
	s.SetCredentials(a.credentials(), nil)
	const most = burst + each/2
	s.until("events", func() bool { n, _ := s.View().Data.Count(); return n > most })
	if took := time.Since(began); took < time.Second/2 {
		t.Errorf("%d events in %v", most, took)
	}
}

// TestPaceOfWork: what takes long to be taken up leaves less room for more.
func TestPaceOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each, events = 200 * time.Millisecond, 10
		slow := &kind{table: table{
			cost: func(*model.Data, string) int { return 0 },
			same: func(*model.Data, item) bool { return false },
			set:  func(*model.Change, *model.Data, item) { time.Sleep(each) },
		}}
		c := newConns(t.Context(), pace{rate.NewLimiter(paceEach, 16<<20)})
		f := &feed{kind: slow, session: &session{m: startMember(t).Member, conns: c, shown: true}}
		began := time.Now()
		for range events {
			if err := (&store{f}).Add(item{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 4*events*each {
			t.Errorf("%v of work took %v", events*each, took)
		}
	})
}

// TestFrames: of an HTTP/2 connection a client reads the frames that it has a use for,
// whole, and all count.
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
	p := pace{rate.NewLimiter(rate.Limit(1e-9), paceBurst)}
	r := &frames{conns: newConns(t.Context(), p), buffer: bufio.NewReader(&sent)}
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
	if spent := paceBurst - int(p.Tokens()); spent != 14*frameCost {
		t.Errorf("counted as %d frames", spent/frameCost)
	}
}

// TestOneConnection: what a session asks for shares one connection, as with client-go's
// own transport.
func TestOneConnection(t *testing.T) {
	var made atomic.Int64
	a := &strangeAPI{t: t, asked: make(map[string]int)}
	a.Server = httptest.NewUnstartedServer(a)
	a.EnableHTTP2 = true
	a.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	a.StartTLS()
	t.Cleanup(a.Close)
	s := startMember(t)
	s.SetCredentials(a.credentials(), nil)
	for _, path := range []string{servicesPath, slicesPath, listPath, exportsPath} {
		s.until(path, func() bool { return a.count(path+"?watch") > 1 }) // one was for a streamed list
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestPlainHTTP: a kubeconfig that is a file may name a server without TLS.
func TestPlainHTTP(t *testing.T) {
	a := &strangeAPI{t: t, asked: make(map[string]int)}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	s := startMember(t)
	s.SetCredentials(Credentials{Config: &rest.Config{Host: a.URL}}, nil)
	<-s.Synced()
}

// TestNoConnection: an API that closes each connection isn't called without a pause.
func TestNoConnection(t *testing.T) {
	for name, write := range map[string]func(*http2.Framer){
		"at once": func(*http2.Framer) {},
		"with a word": func(f *http2.Framer) {
			_ = f.WriteSettings()
			_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
		},
	} {
		var made atomic.Int64
		a := &strangeAPI{t: t, asked: make(map[string]int)}
		a.Server = httptest.NewUnstartedServer(a)
		a.EnableHTTP2 = true
		a.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){http2.NextProtoTLS: func(_ *http.Server, c *tls.Conn, _ http.Handler) {
			made.Add(1)
			write(http2.NewFramer(c, nil))
			_, _ = io.Copy(io.Discard, c)
		}}
		a.StartTLS()
		s := startMember(t)
		began := time.Now()
		s.SetCredentials(a.credentials(), nil)
		s.until("tries", func() bool { return made.Load() >= 6 })
		if took := time.Since(began); took < time.Second/2 {
			t.Errorf("%s: six connections in %v", name, took)
		}
		s.Stop()
		a.Close()
	}
}
