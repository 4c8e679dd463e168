package statuspage

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// What readers may hold, and how long.
const (
	maxConnections = 64
	maxHeader      = 16 << 10
	headerTime     = 5 * time.Second
	readTime       = 10 * time.Second
	// writeTime is more than a look-up's, and enough for a large status over a slow port-forward,
	// of which each chunk has to be taken sooner.
	writeTime = 60 * time.Second
	// idleTime is more than the page's pause between two requests.
	idleTime  = 15 * time.Second
	closeTime = time.Second
)

// Server serves until it is closed.
type Server struct {
	server  http.Server
	cancel  context.CancelFunc // ends the look-ups
	running sync.WaitGroup
}

// Serve serves a handler at a listener, which it closes.
func Serve(listener net.Listener, h http.Handler) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	bounded := newConnections(listener, maxConnections)
	s := &Server{cancel: cancel, server: http.Server{
		Handler: h, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState:   bounded.changed,
		// OPTIONS * is refused as all of OPTIONS is.
		DisableGeneralOptionsHandler: true,
	}}
	s.running.Go(func() {
		// It returns when it is closed; that a listener breaks by itself isn't known.
		_ = s.server.Serve(bounded)
	})
	return s
}

// Close ends the serving: responses that are being written get a second.
func (s *Server) Close() {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close() // there is nothing more to do
	}
	s.running.Wait()
}
