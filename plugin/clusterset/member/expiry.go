package member

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// expiry is when credentials end, with when they began where that is known. The
// zero value is that of credentials that don't say.
type expiry struct {
	what       string
	begin, end time.Time
}

// What rotates credentials does so well before: kubelet a token at 80% of its
// life, a certificate at 90% at the latest. So a warning means that nothing does;
// of what lives long it comes a week before, which is time enough for a human.
const (
	warnShare     = 10
	warnAtMost    = 7 * 24 * time.Hour
	warnIfUnknown = 24 * time.Hour
)

// warnFrom is when to tell that they end.
func (e expiry) warnFrom() time.Time {
	before := warnIfUnknown
	if !e.begin.IsZero() {
		before = min(e.end.Sub(e.begin)/warnShare, warnAtMost)
	}
	return e.end.Add(-before)
}

// expiryOf finds what ends first: the client certificate or the token.
func expiryOf(config *rest.Config) expiry {
	certificate, bearer := certificateExpiry(config.CertData), tokenExpiry(config.BearerToken)
	if bearer.end.IsZero() || !certificate.end.IsZero() && certificate.end.Before(bearer.end) {
		return certificate
	}
	return bearer
}

func certificateExpiry(text []byte) expiry {
	block, _ := pem.Decode(text)
	if block == nil {
		return expiry{}
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return expiry{} // the connection will tell
	}
	return expiry{"client certificate", certificate.NotBefore, certificate.NotAfter}
}

// tokenExpiry reads a JSON Web Token's claims (RFC 7519, section 4.1). Nothing is
// verified: that is the API's part.
func tokenExpiry(token string) expiry {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return expiry{}
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return expiry{}
	}
	var claims struct {
		Issued  float64 `json:"iat"` // a NumericDate may have a fraction
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(content, &claims) != nil || claims.Expires <= 0 {
		return expiry{}
	}
	e := expiry{what: "token", end: time.Unix(int64(claims.Expires), 0)}
	if claims.Issued > 0 {
		e.begin = time.Unix(int64(claims.Issued), 0)
	}
	return e
}
