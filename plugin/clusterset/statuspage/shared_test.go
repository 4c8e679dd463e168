package statuspage

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// counted is a source that numbers the statuses that it makes.
type counted struct {
	source
	made int
}

func (c *counted) Statuses() status.Process {
	c.made++
	return status.Process{Host: string(rune('a' + c.made - 1))}
}

// TestShared: who reads while another does is given the same text, unless it is old.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{}
		s := shared{source: c}
		one, release1 := s.get()
		two, release2 := s.get()
		if one != two || c.made != 1 {
			t.Errorf("%d made for two at the same time", c.made)
		}
		release1()
		if again, release := s.get(); again != one {
			t.Error("forgotten while one reads it")
		} else {
			release()
		}
		time.Sleep(maxAge + 1)
		three, release3 := s.get()
		if three == one || c.made != 2 {
			t.Error("an old one was given")
		}
		release2()
		if four, release := s.get(); four != three {
			t.Error("those of before took the newest away")
		} else {
			release()
		}
		release3()
		if s.current != nil {
			t.Error("kept when nobody reads it")
		}
		if _, release := s.get(); c.made != 3 {
			t.Error("who reads alone was given an old one")
		} else {
			release()
		}
	})
}

// TestZipped: a status is compressed for who takes that.
func TestZipped(t *testing.T) {
	h := NewHandler(testSource(), "")
	plain := body(t, ask(h, "GET", "/status.json"))
	for accept, zipped := range map[string]bool{
		"gzip": true, "br, GZIP;q=0.5": true, "deflate, gzip": true,
		"": false, "br": false, "gzip;q=0": false, "gzip;q=0.000": false, "gzip;q": false, "x-gzip": false, "gzip;x=1": false,
	} {
		r := ask(h, "GET", "/status.json", "Accept-Encoding", accept)
		if is := r.Header.Get("Content-Encoding") == "gzip"; is != zipped || r.StatusCode != http.StatusOK || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %d %q", accept, r.StatusCode, r.Header)
			continue
		}
		text := ""
		if zipped {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			text = string(all)
		} else {
			text = body(t, r)
		}
		if text != plain {
			t.Errorf("%q: %q", accept, text)
		}
	}
}
