package apiclient

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// endless is a connection that always has more.
type endless struct{ net.Conn }

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func (endless) Close() error { return nil }

// TestPace: after the burst an API's connections are read at the rate, all of a member's
// together and whatever session they are of; and a session's end ends the wait.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const burst, each, size = 1 << 20, 1 << 20, 64 << 10
		l, began := Limiter{rate.NewLimiter(each, burst)}, time.Now()
		buffer := make([]byte, size)
		for range 4 { // sessions
			c := NewConns(t.Context(), l)
			conn, _ := c.track(endless{})
			for range burst / size {
				_, _ = conn.Read(buffer)
			}
		}
		if took := time.Since(began); took < 2900*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("4 MiB in %v, want 3 s", took)
		}
		c := NewConns(t.Context(), l)
		conn, _ := c.track(endless{})
		began = time.Now()
		go c.Close()
		_, _ = conn.Read(make([]byte, burst))
		if took := time.Since(began); took != 0 {
			t.Errorf("waited for %v at the session's end", took)
		}
	})
}
