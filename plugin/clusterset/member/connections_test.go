package member

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// TestOneConnection: what a session asks for shares one connection, as with client-go's
// own transport.
func TestOneConnection(t *testing.T) {
	var made atomic.Int64
	a := apitest.New(t, nil)
	a.EnableHTTP2 = true
	a.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	a.StartTLS()
	s := startMember(t)
	s.SetCredentials(from(a), nil)
	for _, path := range []string{apitest.ServicesPath, apitest.SlicesPath, apitest.NamespacesPath, apitest.ExportsPath} {
		s.until(path, func() bool { return a.Count(path+"?watch") > 1 }) // one was for a streamed list
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestPlainHTTP: a kubeconfig that is a file may name a server without TLS.
func TestPlainHTTP(t *testing.T) {
	a := apitest.New(t, nil)
	a.Start()
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
		a := apitest.New(t, nil)
		a.EnableHTTP2 = true
		a.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){http2.NextProtoTLS: func(_ *http.Server, c *tls.Conn, _ http.Handler) {
			made.Add(1)
			write(http2.NewFramer(c, nil))
			_, _ = io.Copy(io.Discard, c)
		}}
		a.StartTLS()
		s := startMember(t)
		began := time.Now()
		s.SetCredentials(from(a), nil)
		s.until("tries", func() bool { return made.Load() >= 6 })
		if took := time.Since(began); took < time.Second/2 {
			t.Errorf("%s: six connections in %v", name, took)
		}
		s.Stop()
		a.Close()
	}
}
