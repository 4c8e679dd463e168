package probe

import (
	"net/url"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// urlWidth bounds the URL of a status, in bytes.
const urlWidth = 256

// shown returns a URL as a status has it.
func shown(u *url.URL) string {
	public := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return quoted.Line(public.String(), urlWidth)
}
