package statuspage

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard has next serve GET and HEAD to who may read it.
func guard(next http.Handler, allowedHost string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, "only GET and HEAD: nothing can be changed here")
		case !isHost(r.Host, allowedHost):
			writeError(w, http.StatusForbidden, fmt.Sprintf(
				"Host %.80q: a name, which any page can point at this address (DNS rebinding); use an IP address, or localhost", r.Host))
		case isForeign(r):
			writeError(w, http.StatusForbidden, "asked by a page of another origin")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// headers are on every response.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'self'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "no-store",
	"Cross-Origin-Resource-Policy": "same-origin",
}

// isHost reports whether a request's Host is an address, localhost, or allowed. A page that
// rebinds its own name to this address has that name there.
func isHost(host, allowed string) bool {
	u, err := url.Parse("//" + host)
	if err != nil || u.Host != host {
		return false
	}
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name != "" && (name == "localhost" || name == strings.ToLower(strings.TrimSuffix(allowed, ".")))
}

// isForeign reports whether a page of another origin made the request, other than by a link to
// here. Another port of this host is another origin, though the same site. Browsers send Fetch
// Metadata to loopback alone, where there is no TLS; and an Origin with what a page wants to
// read.
func isForeign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
	}
	origin := r.Header.Get("Origin")
	return origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host
}
