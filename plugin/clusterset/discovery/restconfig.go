package discovery

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
)

// podToken is the token that a pod has for its API.
const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// restConfig returns the configuration, and the kubeconfig's text. All files that it names
// are read first: client-go reads them without bounds.
func restConfig(path, kubeContext string) (config *rest.Config, content []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	if path == "" {
		config, err := boundedfile.Within(ctx, podToken, rest.InClusterConfig)
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, nil, ErrNoAPI
		}
		return config, nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, nil, err
	}
	if content, err = boundedfile.ReadContext(ctx, path, boundedfile.MaxCredential); err != nil {
		return nil, nil, err
	}
	all, err := clientcmd.Load(content)
	if err != nil {
		return nil, nil, err
	}
	if err := startPathsAt(all, path); err != nil {
		return nil, nil, err
	}
	for _, file := range filesOf(all, kubeContext) {
		if _, err := boundedfile.ReadContext(ctx, file, boundedfile.MaxCredential); err != nil {
			return nil, nil, err
		}
	}
	config, err = clientcmd.NewNonInteractiveClientConfig(*all, kubeContext, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	return config, content, err
}

// startPathsAt makes relative paths start at the kubeconfig's folder.
func startPathsAt(all *clientcmdapi.Config, path string) error {
	for _, cluster := range all.Clusters {
		cluster.LocationOfOrigin = path
	}
	for _, user := range all.AuthInfos {
		user.LocationOfOrigin = path
	}
	return clientcmd.ResolveLocalPaths(all)
}

// filesOf returns the files that the context's cluster and user name.
func filesOf(all *clientcmdapi.Config, kubeContext string) (paths []string) {
	used := all.Contexts[cmp.Or(kubeContext, all.CurrentContext)]
	if used == nil {
		used = &clientcmdapi.Context{} // client-go falls back to what is named ""
	}
	if cluster := all.Clusters[used.Cluster]; cluster != nil {
		paths = append(paths, cluster.CertificateAuthority)
	}
	if user := all.AuthInfos[used.AuthInfo]; user != nil {
		paths = append(paths, user.TokenFile, user.ClientCertificate, user.ClientKey)
	}
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" })
}
