package discovery

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// defaultKubeconfigKey is where Cluster API and others put a kubeconfig in a
// Secret.
const defaultKubeconfigKey = "value"

// Kubeconfig is how a source of a kubeconfig is now.
type Kubeconfig struct {
	// Content is the last that could be read, nil where none could.
	Content []byte
	// Folder is what relative paths in it start from, "" where it is no file.
	Folder string
	// Err is why it can't be read now.
	Err error
}

func (k Kubeconfig) failure() error { return k.Err }

// KubeconfigFeed returns the feed of the kubeconfig that source names. api may be
// nil where that is a file; the error is ErrNoAPI where it isn't.
func KubeconfigFeed(api *API, source model.Kubeconfig) (*Feed[Kubeconfig], error) {
	if source.File != "" {
		return kubeconfigFile(source.File)
	}
	if api == nil {
		return nil, ErrNoAPI
	}
	return api.kubeconfigSecret(source.Secret, cmp.Or(source.Key, defaultKubeconfigKey)), nil
}

func kubeconfigFile(path string) (*Feed[Kubeconfig], error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return acquire(origin{kind: "kubeconfig", name: path}, func(ctx context.Context, f *Feed[Kubeconfig]) {
		last := lastKubeconfig{publish: f.publish, folder: filepath.Dir(path)}
		watchFiles(ctx, []string{path}, boundedfile.MaxCredential, func(contents [][]byte, err error) {
			if err != nil {
				last.set(nil, err)
				return
			}
			last.set(contents[0], nil)
		})
	}), nil
}

func (a *API) kubeconfigSecret(name model.ObjectName, key string) *Feed[Kubeconfig] {
	return acquire(origin{"kubeconfig", name.String() + " " + key, a.key}, func(ctx context.Context, f *Feed[Kubeconfig]) {
		last := lastKubeconfig{publish: f.publish}
		o := object{api: a, resource: "secrets", example: &v1.Secret{}, name: name, pause: secretPause}
		o.watch(ctx, func(obj runtime.Object) {
			secret, exists := obj.(*v1.Secret)
			switch {
			case !exists:
				last.set(nil, fmt.Errorf("secret %s: not found", name))
			case len(secret.Data[key]) == 0:
				last.set(nil, fmt.Errorf("secret %s: no key %q", name, key))
			default:
				last.set(secret.Data[key], nil)
			}
		}, func(err error) { last.set(nil, err) })
	})
}

// lastKubeconfig makes a feed's values: what was read stays when it can't be read any
// more, and nothing is published twice.
type lastKubeconfig struct {
	publish   func(Kubeconfig)
	folder    string
	last      Kubeconfig
	published bool
}

func (l *lastKubeconfig) set(content []byte, err error) {
	next := Kubeconfig{Content: content, Folder: l.folder, Err: err}
	if err == nil && len(content) == 0 {
		next.Err = errors.New("kubeconfig: empty")
	}
	if next.Err != nil {
		next.Content = l.last.Content
	}
	same := bytes.Equal(next.Content, l.last.Content) && fmt.Sprint(next.Err) == fmt.Sprint(l.last.Err)
	if l.published && same {
		return
	}
	l.last, l.published = next, true
	l.publish(next)
}
