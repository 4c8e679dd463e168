package probe

import (
	"net/url"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Status is a gateway's at one moment, for a person or a program to read. It has no credential.
type Status struct {
	// URL is the one that is probed, without user, password and query.
	URL   string `json:"url"`
	Alive bool   `json:"alive"`
	// Since is when it died, or came back; at first, when the probing began.
	Since time.Time `json:"since"`
	// Error is why the last probe failed, "" where it didn't.
	Error string `json:"error,omitempty"`
	// Failures are the probes that have failed in a row.
	Failures int `json:"failures,omitempty"`
}

// urlWidth bounds the URL of a Status, in bytes.
const urlWidth = 256

// shown returns a URL as a Status has it.
func shown(u *url.URL) string {
	public := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return quoted.Line(public.String(), urlWidth)
}
