package probe

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bound is how late a gateway that died, or is back, may be known.
const bound = 10 * time.Second

// TestBound: a gateway that dies, or comes back, at whatever moment is known within 10 s, also
// where its address swallows packets; and the arithmetic of the constants' comment holds.
func TestBound(t *testing.T) {
	const (
		longest = defaultThreshold*defaultInterval*6/5 + defaultTimeout
		back    = defaultBackoff*6/5 + defaultTimeout
	)
	if longest > bound || back > bound {
		t.Fatalf("dead within %v, back within %v", longest, back)
	}
	synctest.Test(t, func(t *testing.T) {
		n, known := &network{dialed: make(chan struct{})}, make(chan bool, 1)
		p := Start("tcp://192.0.2.1:1", Options{dial: n.dial, Changed: func(alive bool, _ error) { known <- alive }})
		change := func(to outcome, most time.Duration) time.Duration {
			n.set(to)
			began, timer := time.Now(), time.NewTimer(time.Minute)
			for {
				select {
				case <-n.dialed:
				case alive := <-known:
					if alive != (to == accepted) || alive != p.Alive() {
						t.Fatalf("alive is %v", alive)
					}
					if d := time.Since(began); d > most {
						t.Errorf("known after %v", d)
					}
					return time.Since(began)
				case <-timer.C:
					t.Fatal("never known")
				}
			}
		}
		probed := func() { // returns once a probe is answered, or is waiting
			<-n.dialed
			synctest.Wait()
		}
		seen := time.Duration(0)
		for i := range 500 {
			probed()
			if i%2 == 0 { // else right after a probe
				wait(n, rand.N(2*defaultInterval))
			}
			seen = max(seen, change([]outcome{blackHole, refused}[i/2%2], longest))
			for range i % 5 {
				probed()
			}
			if i%3 == 0 {
				wait(n, rand.N(bound))
			}
			change(accepted, back)
		}
		if seen < longest*9/10 {
			t.Errorf("the latest is %v: no worst case among them", seen)
		}
		go func() {
			for range n.dialed {
			}
		}()
		p.Stop()
		close(n.dialed)
	})
}

// wait lets time pass, and dials begin.
func wait(n *network, d time.Duration) {
	timer := time.NewTimer(d)
	for {
		select {
		case <-n.dialed:
		case <-timer.C:
			return
		}
	}
}

// TestThreshold: three failures in a row are needed, one success is enough, and what this machine
// lacks is nobody's failure.
func TestThreshold(t *testing.T) {
	for _, test := range []struct {
		name, probes string
		alive        string // after each probe
	}{
		{"alive", "......", "++++++"},
		{"dead", "xxxx", "++--"},
		{"black hole", "oooo", "++--"},
		{"flapping", ".xx.xx.x.xx", "+++++++++++"},
		{"gone and back", ".xxx.xxx.", "+++-+++-+"},
		{"refused and hung", "xox.", "++-+"},
		{"no files here", "fffff", "+++++"},
		{"no files here between", "xfxfx", "++++-"},
		{"no files here while dead", "xxxff.", "++---+"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcomes := map[byte]outcome{'.': accepted, 'x': refused, 'o': blackHole, 'f': noFiles}
				n, c := &network{}, &changes{}
				n.script = func(i int) outcome { return outcomes[test.probes[i%len(test.probes)]] }
				p := Start("tcp://192.0.2.1:1", c.options(n))
				got, flips, before := "", 0, true
				for i := range test.probes {
					for len(n.times()) == i {
						time.Sleep(100 * time.Millisecond)
						synctest.Wait()
					}
					time.Sleep(defaultTimeout)
					synctest.Wait()
					alive := p.Alive()
					if alive != before {
						before = alive
						flips++
					}
					got += map[bool]string{true: "+", false: "-"}[alive]
				}
				if got != test.alive {
					t.Errorf("%s: %s, want %s", test.probes, got, test.alive)
				}
				alive := c.seen()
				if s := p.Status(); s.Alive != before || len(alive) != flips {
					t.Errorf("%+v, %v of %d changes", s, alive, flips)
				}
				p.Stop()
			})
		})
	}
}

// TestShared: a URL is probed at most once an interval, however many want to know; each is called,
// also one who comes when it is dead; none is called after its Stop, and nothing is probed after
// the last one's.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		n.set(refused)
		var all []*Probe
		var told []*changes
		start := func() {
			c := &changes{}
			told, all = append(told, c), append(all, Start("tcp://192.0.2.1:1", c.options(n)))
		}
		for range 50 {
			start()
		}
		if all[0].target != all[49].target || targets.Len() != 1 {
			t.Fatalf("%d targets", targets.Len())
		}
		if !all[0].Status().Alive {
			t.Error("down to begin with")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		start()
		for i, c := range told {
			if alive := c.seen(); !slices.Equal(alive, []bool{false}) || all[i].Status().Alive || all[i].Alive() {
				t.Errorf("user %d: %v, alive: %v", i, alive, all[i].Alive())
			}
		}
		times := n.times()
		for i := range times[1:] {
			if d := times[i+1].Sub(times[i]); d < defaultInterval || d > defaultBackoff*6/5 {
				t.Errorf("probes are %v apart", d)
			}
		}
		for _, p := range all[:50] {
			p.Stop()
		}
		n.set(accepted)
		time.Sleep(bound)
		synctest.Wait()
		stopped, last := told[0].seen(), told[50].seen()
		if len(stopped) != 1 || !slices.Equal(last, []bool{false, true}) || !all[50].Alive() || !all[50].Status().Alive {
			t.Errorf("stopped: %v, the last one: %v", stopped, last)
		}
		all[50].Stop()
		probes := len(n.times())
		time.Sleep(time.Minute)
		if len(n.times()) != probes || targets.Len() != 0 {
			t.Errorf("%d probes after the last Stop, %d targets", len(n.times())-probes, targets.Len())
		}
	})
}

// TestOwnOptions: who wants other times doesn't share.
func TestOwnOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		n.set(refused)
		quick := Start("tcp://192.0.2.1:1", Options{Interval: time.Second, Threshold: 1, Backoff: 2 * time.Second, Timeout: time.Second / 2, dial: n.dial})
		usual := Start("tcp://192.0.2.1:1", Options{dial: n.dial})
		time.Sleep(time.Second)
		synctest.Wait()
		if quick.Alive() || !usual.Alive() {
			t.Errorf("quick: %+v, usual: %+v", quick.Status(), usual.Status())
		}
		quick.Stop()
		usual.Stop()
	})
}

// TestStop: it ends a probe that hangs, in whatever stage, at once.
func TestStop(t *testing.T) {
	for _, test := range []struct {
		name, url string
		dial      outcome
		serve     func(net.Conn)
	}{
		{"pausing", "tcp://192.0.2.1:1", accepted, nil},
		{"connecting", "tcp://192.0.2.1:1", blackHole, nil},
		{"TLS handshake", "https://192.0.2.1", accepted, silent},
		{"asking", "http://192.0.2.1", accepted, unread},
		{"waiting for a reply", "http://192.0.2.1", accepted, silent},
		{"reading a body", "http://192.0.2.1", accepted, func(conn net.Conn) {
			read(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\nx")
			silent(conn)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{serve: test.serve, dialed: make(chan struct{}, 1)}
				n.set(test.dial)
				p := Start(test.url, Options{dial: n.dial})
				<-n.dialed
				synctest.Wait()
				began := time.Now()
				p.Stop()
				if d := time.Since(began); d != 0 {
					t.Errorf("after %v", d)
				}
				n.serving.Wait()
			})
		})
	}
}

// TestStatus: it says what a person, and a program, wants to know, and no credential.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		p := Start("http://user:secret@gw.example:8080/alive?token=secret", Options{dial: n.dial})
		defer p.Stop()
		began := time.Now()
		n.set(refused)
		time.Sleep(bound)
		synctest.Wait()
		s := p.Status()
		if s.Alive || s.Failures < defaultThreshold || !s.Since.After(began) {
			t.Errorf("%+v", s)
		}
		text, err := json.Marshal(s)
		if err != nil || strings.Contains(string(text), "secret") || s.URL != "http://gw.example:8080/alive" || s.Error != "connect: connection refused" {
			t.Errorf("%s, %v", text, err)
		}
		n.serve = says("HTTP/1.1 200 OK\r\n\r\n")
		n.set(accepted)
		time.Sleep(bound)
		synctest.Wait()
		if now := p.Status(); !now.Alive || now.Failures != 0 || now.Error != "" || !now.Since.After(s.Since) {
			t.Errorf("back: %+v", now)
		}
	})
}

// TestNotURL: what a document refuses is never alive.
func TestNotURL(t *testing.T) {
	for _, url := range []string{"", "tcp://192.0.2.1", "udp://192.0.2.1:1", "http://", "::"} {
		synctest.Test(t, func(t *testing.T) {
			n := &network{}
			p := Start(url, Options{dial: n.dial})
			time.Sleep(bound)
			if s := p.Status(); p.Alive() || s.Error != errURL.Error() || len(n.times()) > 0 {
				t.Errorf("%q: %+v", url, s)
			}
			p.Stop()
		})
	}
}

// BenchmarkAlive is what a query does.
func BenchmarkAlive(b *testing.B) {
	n := &network{}
	p := Start("tcp://192.0.2.1:1", Options{dial: n.dial})
	defer p.Stop()
	b.ReportAllocs()
	for b.Loop() {
		p.Alive()
	}
}
