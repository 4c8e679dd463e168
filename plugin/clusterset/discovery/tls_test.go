package discovery

import (
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestLastTLS: what can't be used never replaces what can, and is published once, in words
// that a line of a log can have.
func TestLastTLS(t *testing.T) {
	a := clustertest.NewAuthority(t)
	cert, key := a.Issue(t, "clusterset")
	_, another := a.Issue(t, "clusterset")
	good := TLSCredentials{CA: a.PEM, Cert: cert, Key: key}
	// a PEM block's type, or a path, can be any text
	forged := "-----BEGIN \x1b[31mA\r[FATAL] all is lost-----\n-----END \x1b[31mA\r[FATAL] all is lost-----\n"
	giant := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: make([]byte, 1<<18)})
	ours := map[string]bool{
		"CA: no PEM certificate in it (secret n/s)":      true,
		"CA: can't be used (secret n/s)":                 true,
		"client certificate: can't be used (secret n/s)": true,
	}
	for _, tt := range []struct {
		name string
		pem  TLSCredentials
		err  error
		want string
	}{
		{"no authority", TLSCredentials{CA: []byte("x")}, nil, "CA: no PEM certificate in it (secret n/s)"},
		{"no certificate", TLSCredentials{CA: a.PEM, Cert: []byte("x"), Key: key}, nil, "client certificate: tls: "},
		{"half of it", TLSCredentials{CA: a.PEM, Cert: cert}, nil, "client certificate: tls: "},
		{"another's key", TLSCredentials{CA: a.PEM, Cert: cert, Key: another}, nil, "does not match"},
		{"a giant key", TLSCredentials{CA: a.PEM, Cert: cert, Key: giant}, nil, "too large"},
		{"words", TLSCredentials{CA: a.PEM, Cert: []byte(strings.Repeat(forged, 1000)), Key: key}, nil, `[\x1b[31mA\r[FATAL] all`},
		{"a path", TLSCredentials{}, errors.New("open /x\n[FATAL] all is lost"), `open /x\n[FATAL] all is lost`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var published []TLSUpdate
			last := lastTLS{from: "secret n/s", publish: func(m TLSUpdate) { published = append(published, m) }}
			for range 2 {
				last.set(tt.pem, tt.err)
			}
			last.set(good, nil)
			for range 2 {
				last.set(tt.pem, tt.err)
			}
			if len(published) != 3 {
				t.Fatalf("published %d times", len(published))
			}
			for _, bad := range []TLSUpdate{published[0], published[2]} {
				if bad.Err == nil || !strings.Contains(bad.Err.Error(), tt.want) || len(bad.Err.Error()) > maxError || strings.ContainsAny(bad.Err.Error(), "\n\r\x1b") {
					t.Errorf("error %q", bad.Err)
				}
				if text := brief(bad.Err); len(text) > maxBrief || tt.err == nil && !ours[text] {
					t.Errorf("a client sees %q", text)
				}
			}
			if published[0].Good || !published[1].Good || published[1].Err != nil || !published[2].Good || !published[2].Credentials.Equal(good) {
				t.Errorf("good: %v, %v, %v", published[0].Good, published[1].Good, published[2].Good)
			}
		})
	}
}
