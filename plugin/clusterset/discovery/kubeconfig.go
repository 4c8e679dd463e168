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

// Kubeconfig is what a source of a kubeconfig said last.
type Kubeconfig struct {
	// Content is the last that could be read, nil when none could.
	Content []byte
	// Folder is what relative paths in it start from, "" when it is no file.
	Folder string
	// Err is why it can't be read now.
	Err error
}

// KubeconfigFeed gives the feed of the kubeconfig that source names. api may be
// nil where that is a file; ErrNoAPI tells where it isn't.
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
	return acquire("kubeconfig "+path, func(ctx context.Context, publish func(Kubeconfig)) {
		in := kubeconfigs{publish: publish, folder: filepath.Dir(path)}
		watchFiles(ctx, []string{path}, boundedfile.Material, func(contents [][]byte, err error) {
			if err != nil {
				in.take(nil, err)
				return
			}
			in.take(contents[0], nil)
		})
	}), nil
}

func (a *API) kubeconfigSecret(name model.ObjectName, key string) *Feed[Kubeconfig] {
	return acquire("kubeconfig "+a.key+" "+name.String()+" "+key, func(ctx context.Context, publish func(Kubeconfig)) {
		in := kubeconfigs{publish: publish}
		o := object{api: a, resource: "secrets", example: &v1.Secret{}, name: name, pause: secretPause}
		o.watch(ctx, func(obj runtime.Object) {
			secret, exists := obj.(*v1.Secret)
			switch {
			case !exists:
				in.take(nil, fmt.Errorf("secret %s: not found", name))
			case len(secret.Data[key]) == 0:
				in.take(nil, fmt.Errorf("secret %s: no key %q", name, key))
			default:
				in.take(secret.Data[key], nil)
			}
		}, func(err error) { in.take(nil, err) })
	})
}

// kubeconfigs make a feed's values: what was read stays when it can't be any
// more, and nothing is told twice.
type kubeconfigs struct {
	publish func(Kubeconfig)
	folder  string
	last    Kubeconfig
	told    bool
}

func (k *kubeconfigs) take(content []byte, err error) {
	next := Kubeconfig{Content: content, Folder: k.folder, Err: err}
	if err == nil && len(content) == 0 {
		next.Err = errors.New("kubeconfig: empty")
	}
	if next.Err != nil {
		next.Content = k.last.Content
	}
	same := bytes.Equal(next.Content, k.last.Content) && fmt.Sprint(next.Err) == fmt.Sprint(k.last.Err)
	if k.told && same {
		return
	}
	k.last, k.told = next, true
	k.publish(next)
}
