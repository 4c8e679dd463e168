package clusterset

import (
	"context"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Keys of a kubernetes.io/tls Secret, as cert-manager writes them.
const (
	keyCA   = "ca.crt"
	keyCert = "tls.crt"
	keyKey  = "tls.key"
)

// watchMaterial begins watching the TLS material that members refer to and that
// isn't watched yet, and ends what nobody refers to any more; b.mu is held.
func (b *builder) watchMaterial() {
	wanted := make(map[model.TLS]bool)
	for _, c := range b.set.Clusters {
		if c.TLS.Secret != (model.ObjectName{}) || len(files(c.TLS)) > 0 {
			wanted[c.TLS] = true
		}
	}
	for key, m := range b.material {
		if !wanted[key] {
			m.cancel()
			delete(b.material, key)
		}
	}
	for key := range wanted {
		if b.material[key] == nil && !b.closed {
			b.material[key] = b.watch(key)
		}
	}
}

func (b *builder) watch(key model.TLS) *material {
	ctx, cancel := context.WithCancel(context.Background())
	m := &material{cancel: cancel, done: make(chan struct{}), err: errNotRead}
	if paths := files(key); len(paths) > 0 {
		contents, err := discovery.ReadFiles(paths)
		m.pem, m.err = fromFiles(key, paths, contents), err
		go func() {
			defer close(m.done)
			discovery.WatchFiles(ctx, paths, func(contents [][]byte, err error) {
				b.setMaterial(key, m, fromFiles(key, paths, contents), err)
			})
		}()
		return m
	}
	if b.api == nil {
		m.err = discovery.ErrNoAPI
		close(m.done)
		return m
	}
	go func() {
		defer close(m.done)
		b.api.WatchSecret(ctx, key.Secret, func(data map[string][]byte, err error) {
			b.setMaterial(key, m, exchange.TLSMaterial{CA: data[keyCA], Cert: data[keyCert], Key: data[keyKey]}, err)
		})
	}()
	return m
}

func fromFiles(key model.TLS, paths []string, contents [][]byte) (pem exchange.TLSMaterial) {
	for i := range contents {
		if paths[i] == key.CAFile {
			pem.CA = contents[i]
		}
		if paths[i] == key.CertFile {
			pem.Cert = contents[i]
		}
		if paths[i] == key.KeyFile {
			pem.Key = contents[i]
		}
	}
	return pem
}

// files are the paths that t names.
func files(t model.TLS) []string {
	var paths []string
	for _, path := range []string{t.CAFile, t.CertFile, t.KeyFile} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

func describe(t model.TLS) string {
	if t.Secret != (model.ObjectName{}) {
		return "secret " + t.Secret.String()
	}
	return "files"
}
