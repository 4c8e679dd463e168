// Package statuspage is a stand-in until the real one (branch page2) is merged: delete this file then.
package statuspage

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

type Source interface {
	Statuses() status.Process
	Lookup(ctx context.Context, name, qtype, client string) (status.Lookup, error)
}
type UsageError string

func (e UsageError) Error() string { return string(e) }

type Server struct{ s *http.Server }

func (s *Server) Close() { s.s.Close() }
func Serve(l net.Listener, h http.Handler) *Server {
	s := &http.Server{Handler: h}
	go s.Serve(l)
	return &Server{s}
}
func NewHandler(s Source, host string) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/status.json", func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(s.Statuses()) })
	m.HandleFunc("/lookup", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		l, err := s.Lookup(r.Context(), q.Get("name"), q.Get("type"), q.Get("client"))
		var u UsageError
		if errors.As(err, &u) {
			w.WriteHeader(400)
			json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
			return
		}
		json.NewEncoder(w).Encode(l)
	})
	return m
}
