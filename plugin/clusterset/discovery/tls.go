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

// TLSMaterial is PEM text, and what is read in it; empty is none.
type TLSMaterial struct {
	CA, Cert, Key []byte
	Authorities   *x509.CertPool
	Certificates  []tls.Certificate
}

// read reads the text: once, however many members refer to it.
func (m *TLSMaterial) read() (err error) {
	if len(m.CA) > 0 {
		if m.Authorities, err = boundedfile.Authorities(m.CA); err != nil {
			return told{"CA: " + err.Error(), "CA: can't be used"}
		}
		if m.Authorities == nil {
			return errors.New("CA: no PEM certificate in it")
		}
	}
	if len(m.Cert) > 0 || len(m.Key) > 0 {
		pair, err := boundedfile.KeyPair(m.Cert, m.Key)
		if err != nil {
			return told{"client certificate: " + err.Error(), "client certificate: can't be used"}
		}
		m.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// Equal reports whether m and o are the same text.
func (m TLSMaterial) Equal(o TLSMaterial) bool {
	return bytes.Equal(m.CA, o.CA) && bytes.Equal(m.Cert, o.Cert) && bytes.Equal(m.Key, o.Key)
}

// Material is what a source of TLS material said last.
type Material struct {
	// PEM is the last good material, Good whether there was any.
	PEM  TLSMaterial
	Good bool
	// Err is why it can't be read or used now.
	Err error
}

// materials makes a feed's values: what was good stays until there is what can be used.
// A certificate and its key may be replaced one after the other.
type materials struct {
	of      string // for an error
	publish func(Material)
	last    Material
	told    bool
}

func (m *materials) take(pem TLSMaterial, err error) {
	next := Material{PEM: m.last.PEM, Good: m.last.Good}
	if err == nil && (!next.Good || !next.PEM.Equal(pem)) {
		if err = pem.read(); err == nil {
			next = Material{PEM: pem, Good: true}
		} else {
			err = told{fmt.Sprintf("%v (%s)", err, m.of), brief(err) + " (" + m.of + ")"}
		}
	}
	if err != nil { // its text may be a path's, or a Secret's
		next.Err = told{quoted.Ends(err.Error(), maxError), quoted.Line(brief(err), maxBrief)}
	}
	if m.told && next.PEM.Equal(m.last.PEM) && next.Good == m.last.Good && fmt.Sprint(next.Err) == fmt.Sprint(m.last.Err) {
		return
	}
	m.last, m.told = next, true
	m.publish(next)
}

// MaterialFromFiles gives the feed of the files that t names, read again when
// they change.
func MaterialFromFiles(t model.TLS) *Feed[Material] {
	paths := t.Files()
	return acquire(fmt.Sprintf("files %q", []string{t.CAFile, t.CertFile, t.KeyFile}), func(ctx context.Context, publish func(Material)) {
		m := &materials{of: strings.Join(paths, ", "), publish: publish}
		watchFiles(ctx, paths, boundedfile.Material, func(contents [][]byte, err error) {
			var pem TLSMaterial
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
			m.take(pem, err)
		})
	})
}

// MaterialFromSecret gives the feed of a Secret.
func (a *API) MaterialFromSecret(name model.ObjectName) *Feed[Material] {
	return acquire("secret "+a.key+" "+name.String(), func(ctx context.Context, publish func(Material)) {
		m := &materials{of: "secret " + name.String(), publish: publish}
		o := object{api: a, resource: "secrets", example: &v1.Secret{}, name: name, pause: secretPause}
		o.watch(ctx, func(obj runtime.Object) {
			secret, exists := obj.(*v1.Secret)
			if !exists {
				m.take(TLSMaterial{}, fmt.Errorf("secret %s: not found", name))
				return
			}
			m.take(TLSMaterial{CA: secret.Data[keyCA], Cert: secret.Data[keyCert], Key: secret.Data[keyKey]}, nil)
		}, func(err error) { m.take(TLSMaterial{}, err) })
	})
}
