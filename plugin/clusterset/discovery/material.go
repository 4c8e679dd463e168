package discovery

import (
	"bytes"
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Keys of a kubernetes.io/tls Secret, as cert-manager writes them.
const (
	keyCA   = "ca.crt"
	keyCert = "tls.crt"
	keyKey  = "tls.key"
)

// TLSMaterial is PEM text; empty is none.
type TLSMaterial struct{ CA, Cert, Key []byte }

// Equal tells whether m and o are the same text.
func (m TLSMaterial) Equal(o TLSMaterial) bool {
	return bytes.Equal(m.CA, o.CA) && bytes.Equal(m.Cert, o.Cert) && bytes.Equal(m.Key, o.Key)
}

// Material is what a source of TLS material said last.
type Material struct {
	// PEM is the last good material, Good whether there was any.
	PEM  TLSMaterial
	Good bool
	// Err is why it can't be read now.
	Err error
}

// materials makes a feed's values: what was read stays when it can't be any more.
type materials struct {
	publish func(Material)
	last    Material
	told    bool
}

func (m *materials) take(pem TLSMaterial, err error) {
	next := Material{PEM: pem, Good: true}
	if err != nil {
		next = Material{PEM: m.last.PEM, Good: m.last.Good, Err: err}
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
		m := &materials{publish: publish}
		watchFiles(ctx, paths, boundedfile.Material, func(contents [][]byte, err error) {
			var pem TLSMaterial
			for i := range contents {
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
		m := &materials{publish: publish}
		o := object{api: a, resource: "secrets", example: &v1.Secret{}, name: name}
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
