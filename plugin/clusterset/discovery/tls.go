package discovery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Keys of a kubernetes.io/tls Secret, as cert-manager writes them.
const (
	keyCA   = "ca.crt"
	keyCert = "tls.crt"
	keyKey  = "tls.key"
)

// TLSCredentials is TLS credentials: PEM text, and what is read in it; empty is none.
type TLSCredentials struct {
	CA, Cert, Key []byte
	Authorities   *x509.CertPool
	Certificates  []tls.Certificate
}

// read reads the text: once, however many members refer to it.
func (t *TLSCredentials) read() (err error) {
	if len(t.CA) > 0 {
		if t.Authorities, err = boundedfile.Authorities(t.CA); err != nil {
			return logError{"CA: " + err.Error(), "CA: can't be used"}
		}
		if t.Authorities == nil {
			return errors.New("CA: no PEM certificate in it")
		}
	}
	if len(t.Cert) > 0 || len(t.Key) > 0 {
		pair, err := boundedfile.KeyPair(t.Cert, t.Key)
		if err != nil {
			return logError{"client certificate: " + err.Error(), "client certificate: can't be used"}
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// Equal reports whether t and o are the same text.
func (t TLSCredentials) Equal(o TLSCredentials) bool {
	return bytes.Equal(t.CA, o.CA) && bytes.Equal(t.Cert, o.Cert) && bytes.Equal(t.Key, o.Key)
}

// TLSUpdate is how a source of TLS credentials is now.
type TLSUpdate struct {
	// Credentials are the last good credentials, and Good is whether there were any.
	Credentials TLSCredentials
	Good        bool
	// Err is why they can't be read or used now.
	Err error
}

func (m TLSUpdate) failure() error { return m.Err }

// lastTLS makes a feed's values: good credentials stay until there are others that can be
// used. A certificate and its key may be replaced one after the other.
type lastTLS struct {
	from      string // for an error
	publish   func(TLSUpdate)
	last      TLSUpdate
	published bool
}

func (l *lastTLS) set(pem TLSCredentials, err error) {
	next := TLSUpdate{Credentials: l.last.Credentials, Good: l.last.Good}
	if err == nil && (!next.Good || !next.Credentials.Equal(pem)) {
		if err = pem.read(); err == nil {
			next = TLSUpdate{Credentials: pem, Good: true}
		} else {
			err = logError{fmt.Sprintf("%v (%s)", err, l.from), brief(err) + " (" + l.from + ")"}
		}
	}
	if err != nil { // its text may be a path's, or a Secret's
		next.Err = logError{quoted.Ends(err.Error(), maxError), quoted.Line(brief(err), maxBrief)}
	}
	if l.published && next.Credentials.Equal(l.last.Credentials) && next.Good == l.last.Good && fmt.Sprint(next.Err) == fmt.Sprint(l.last.Err) {
		return
	}
	l.last, l.published = next, true
	l.publish(next)
}

// TLSFromFiles returns the feed of the TLS credentials in the files that t names, read
// again when they change.
func TLSFromFiles(t model.TLS) *Feed[TLSUpdate] {
	paths := t.Files()
	name := fmt.Sprintf("%q", []string{t.CAFile, t.CertFile, t.KeyFile})
	return acquire(origin{kind: "TLS files", name: name}, func(ctx context.Context, f *Feed[TLSUpdate]) {
		last := &lastTLS{from: strings.Join(paths, ", "), publish: f.publish}
		watchFiles(ctx, paths, boundedfile.MaxCredential, func(contents [][]byte, err error) {
			var pem TLSCredentials
			for i := range contents {
				if len(contents[i]) == 0 { // no authority at all would be the system's
					err = fmt.Errorf("%s: empty", paths[i])
				}
				if paths[i] == t.CAFile {
					pem.CA = contents[i]
				}
				if paths[i] == t.CertFile {
					pem.Cert = contents[i]
				}
				if paths[i] == t.KeyFile { // may be the certificate's
					pem.Key = contents[i]
				}
			}
			last.set(pem, err)
		})
	})
}

// TLSFromSecret returns the feed of the TLS credentials in a Secret.
func (a *API) TLSFromSecret(name model.ObjectName) *Feed[TLSUpdate] {
	return acquire(origin{"secret", name.String(), a.key}, func(ctx context.Context, f *Feed[TLSUpdate]) {
		last := &lastTLS{from: "secret " + name.String(), publish: f.publish}
		o := object{api: a, resource: "secrets", example: &v1.Secret{}, name: name, pause: secretPause}
		o.watch(ctx, func(obj runtime.Object) {
			secret, exists := obj.(*v1.Secret)
			if !exists {
				last.set(TLSCredentials{}, fmt.Errorf("secret %s: not found", name))
				return
			}
			last.set(TLSCredentials{CA: secret.Data[keyCA], Cert: secret.Data[keyCert], Key: secret.Data[keyKey]}, nil)
		}, func(err error) { last.set(TLSCredentials{}, err) })
	})
}
