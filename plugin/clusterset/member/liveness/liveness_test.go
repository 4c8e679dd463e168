package liveness

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestMustAsk: a ping isn't enough where it doesn't show what is to be known.
func TestMustAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Proofs{Began: time.Now(), AskTime: AskTime}
		for _, step := range []struct {
			name   string
			do     func()
			dialed int
			want   bool
		}{
			{"new", func() { p.NoteAsked(1) }, 1, true},
			{"older", func() { time.Sleep(AskTime); p.NoteWord() }, 1, false},
			{"another connection", func() {}, 2, true},
			{"asked on it", func() { p.NoteAsked(2) }, 2, false},
			{"credentials refused", func() { p.NoteRefused() }, 2, true},
			{"accepted", func() { p.NoteAsked(2) }, 2, false},
			{"only pings for a while", func() { time.Sleep(silentMost); p.NotePing() }, 2, false},
			{"for too long", func() { time.Sleep(time.Nanosecond); p.NotePing() }, 2, true},
			{"a word", func() { p.NoteWord() }, 2, false},
		} {
			step.do()
			if got := p.MustAsk(step.dialed); got != step.want {
				t.Errorf("%s: %v", step.name, got)
			}
		}
	})
}

// TestLast: both are proofs.
func TestLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Proofs{Began: time.Now()}
		for _, note := range []func(){p.NoteWord, p.NotePing} {
			time.Sleep(time.Hour)
			if note(); time.Since(p.Last()) != 0 {
				t.Errorf("proven at %v, not at %v", p.Last(), time.Now())
			}
		}
	})
}
