package statuspage

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// What readers may hold, and how long.
const (
	maxConnections = 64
	maxHeader      = 16 << 10
	headerTime     = 5 * time.Second
	readTime       = 10 * time.Second
	// writeTime is more than a look-up's, and enough for a large status over a slow port-forward.
	writeTime = 60 * time.Second
	idleTime  = 60 * time.Second
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
	s := &Server{cancel: cancel, server: http.Server{
		Handler: h, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}}
	s.running.Go(func() {
		// It returns when it is closed; that a listener breaks by itself isn't known.
		_ = s.server.Serve(netutil.LimitListener(listener, maxConnections))
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
