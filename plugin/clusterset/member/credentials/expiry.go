package credentials

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// Expiry is when credentials expire. It is zero where they don't say.
type Expiry struct {
	// What expires: "token" or "client certificate".
	What string
	// Begin is zero where it isn't known.
	Begin, End time.Time
}

// Whatever rotates credentials does so long before: kubelet a token at 80% of its life,
// a certificate at 90% at the latest. So a warning at 90% means that nothing does; for
// long-lived ones it comes a week before the end, time enough for a human.
const (
	warnShare     = 10
	warnAtMost    = 7 * 24 * time.Hour
	warnIfUnknown = 24 * time.Hour
)

// WarnFrom returns the time from which to warn.
func (e Expiry) WarnFrom() time.Time {
	before := warnIfUnknown
	if !e.Begin.IsZero() {
		before = min(e.End.Sub(e.Begin)/warnShare, warnAtMost)
	}
	return e.End.Add(-before)
}

// ExpiryOf returns the expiry of the client certificate or of the token, whichever is
// first.
func ExpiryOf(config *rest.Config) Expiry {
	certificate, bearer := certificateExpiry(config.CertData), tokenExpiry(config.BearerToken)
	if bearer.End.IsZero() || !certificate.End.IsZero() && certificate.End.Before(bearer.End) {
		return certificate
	}
	return bearer
}

func certificateExpiry(text []byte) Expiry {
	block, _ := pem.Decode(text)
	if block == nil {
		return Expiry{}
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Expiry{} // the handshake reports it
	}
	return Expiry{"client certificate", certificate.NotBefore, certificate.NotAfter}
}

// tokenExpiry reads the claims of a JSON Web Token (RFC 7519, section 4.1), unverified:
// that is the API's part.
func tokenExpiry(token string) Expiry {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return Expiry{}
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Expiry{}
	}
	var claims struct {
		Issued  float64 `json:"iat"` // a NumericDate may have a fraction
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(content, &claims) != nil || claims.Expires <= 0 {
		return Expiry{}
	}
	e := Expiry{What: "token", End: time.Unix(int64(claims.Expires), 0)}
	if claims.Issued > 0 {
		e.Begin = time.Unix(int64(claims.Issued), 0)
	}
	return e
}
