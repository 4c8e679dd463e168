package controlplane

import (
	"encoding/json"
	"io"
	"sync"
)

// Event is one JSON line on stdout.
type Event struct {
	// Event is "ready", "stopped", "paused", "resumed" or "wiped" for one
	// cluster, "up" once when all are ready, "died" for a child that ended
	// unasked, and "error".
	Event   string `json:"event"`
	Cluster string `json:"cluster,omitempty"`
	// Command is the line of stdin that this event answers.
	Command    string `json:"command,omitempty"`
	Kubeconfig string `json:"kubeconfig,omitempty"`
	Server     string `json:"server,omitempty"` // URL
	PID        int    `json:"pid,omitempty"`    // of the API server
	Error      string `json:"error,omitempty"`
}

// printer writes events, a whole line each, from any goroutine.
type printer struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func newPrinter(w io.Writer) *printer {
	return &printer{enc: json.NewEncoder(w)}
}

func (p *printer) print(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A reader that is gone is noticed as the end of stdin, or as SIGPIPE.
	_ = p.enc.Encode(e)
}
