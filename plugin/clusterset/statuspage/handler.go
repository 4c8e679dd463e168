package statuspage

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Source is what is served. Its methods are called by many at once.
type Source interface {
	// Statuses returns the state of the whole program; it doesn't wait for anything.
	Statuses() status.Process
	// Lookup resolves a question. Each may be "". Its error is a UsageError where
	// the question can't be asked.
	Lookup(ctx context.Context, name, qtype, client string) (status.Lookup, error)
}

// UsageError is what is wrong with a question, in words for who asked it.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// What one reader can ask for.
const (
	maxLookups = 8 // at a time, of all readers
	lookupTime = 15 * time.Second
	// maxQuery is room for a name with each of its bytes escaped twice, as %5C123.
	maxQuery = 4096
)

//go:embed page
var pageFiles embed.FS

type handler struct {
	source  Source
	status  shared
	lookups chan struct{}
}

// NewHandler returns what serves a source. Beside addresses and localhost, allowedHost is a
// Host that requests may have, "" is none.
func NewHandler(s Source, allowedHost string) http.Handler {
	h := &handler{source: s, status: shared{source: s}, lookups: make(chan struct{}, maxLookups)}
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // "page" is a path
	}
	mux := http.NewServeMux()
	mux.Handle("/", page(files))
	mux.HandleFunc("/status.json", h.statuses)
	mux.HandleFunc("/lookup", h.lookup)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") })
	return guard(mux, allowedHost)
}

// page serves the page's files. That there is no such file is said here: http's own words take
// Cache-Control away.
func page(files fs.FS) http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := strings.TrimPrefix(r.URL.Path, "/"); name != "" {
			if _, err := fs.Stat(files, name); err != nil {
				writeError(w, http.StatusNotFound, "there are /, /status.json, /lookup and /healthz")
				return
			}
		}
		r.Header.Del("Range") // many small ones cost a hundred times the file
		server.ServeHTTP(w, r)
	})
}

func (h *handler) statuses(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept-Encoding")
	text, release := h.status.get()
	defer release()
	body := text.plain
	if wantsZipped(r.Header) {
		w.Header().Set("Content-Encoding", "gzip")
		body = text.zipped()
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(text.code)
	write(w, body)
}

func (h *handler) lookup(w http.ResponseWriter, r *http.Request) {
	query, code, err := readQuery(r.URL.RawQuery)
	if err != nil {
		writeError(w, code, err.Error())
		return
	}
	select {
	case h.lookups <- struct{}{}:
		defer func() { <-h.lookups }()
	default:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusTooManyRequests, fmt.Sprintf("%d are looked up at a time; try again", maxLookups))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookupTime)
	defer cancel()
	found, err := h.source.Lookup(ctx, query.Get("name"), query.Get("type"), query.Get("client"))
	if usage, is := errors.AsType[UsageError](err); is {
		writeError(w, http.StatusBadRequest, usage.Error())
		return
	}
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, found)
}

// readQuery reads a look-up's parameters; code is the status where it can't.
func readQuery(raw string) (query url.Values, code int, err error) {
	if len(raw) > maxQuery {
		return nil, http.StatusRequestURITooLong, fmt.Errorf("the query has %d bytes, %d are the most", len(raw), maxQuery)
	}
	query, err = url.ParseQuery(raw)
	if err != nil {
		return nil, http.StatusBadRequest, errors.New("the query is malformed; give it as name=web.default.cluster1.lan&type=A")
	}
	for key, values := range query {
		switch {
		case key != "name" && key != "type" && key != "client":
			return nil, http.StatusBadRequest, fmt.Errorf("%.40q: no parameter; there are name, type and client", key)
		case len(values) > 1:
			return nil, http.StatusBadRequest, fmt.Errorf("%s: given %d times, takes one value", key, len(values))
		}
	}
	return query, 0, nil
}

func writeError(w http.ResponseWriter, code int, text string) {
	writeJSON(w, code, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	code, text := marshal(code, value)
	w.WriteHeader(code)
	write(w, text)
}
