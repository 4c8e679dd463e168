package credentials

import (
	"fmt"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
)

// fromFile returns the Config of a kubeconfig that is a file. Its owner may have it name
// files and run commands. The files are read here, within bounds: client-go would block
// on a pipe, and read a device without end.
func fromFile(all *clientcmdapi.Config, name, dir string) (*rest.Config, error) {
	origin := filepath.Join(dir, "kubeconfig") // only its folder counts
	for _, cluster := range all.Clusters {
		cluster.LocationOfOrigin = origin
	}
	for _, user := range all.AuthInfos {
		user.LocationOfOrigin = origin
	}
	if err := clientcmd.ResolveLocalPaths(all); err != nil {
		return nil, err
	}
	used := all.Contexts[name]
	if used == nil {
		used = &clientcmdapi.Context{}
	}
	if err := loadCluster(all.Clusters[used.Cluster]); err != nil {
		return nil, err
	}
	tokenFile, err := loadUser(all.AuthInfos[used.AuthInfo])
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*all, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	config.BearerTokenFile = tokenFile
	return config, nil
}

func loadCluster(cluster *clientcmdapi.Cluster) error {
	if cluster == nil {
		return nil
	}
	return loadFile(&cluster.CertificateAuthorityData, &cluster.CertificateAuthority)
}

// loadUser replaces the user's files by their content, and returns the path of the
// token's file, which has precedence over a token.
func loadUser(user *clientcmdapi.AuthInfo) (tokenFile string, err error) {
	if user == nil {
		return "", nil
	}
	if err := loadFile(&user.ClientCertificateData, &user.ClientCertificate); err != nil {
		return "", err
	}
	if err := loadFile(&user.ClientKeyData, &user.ClientKey); err != nil {
		return "", err
	}
	tokenFile, user.TokenFile = user.TokenFile, ""
	if tokenFile != "" {
		user.Token, err = readToken(tokenFile)
	}
	return tokenFile, err
}

// loadConfig replaces a Config's files by their content.
func loadConfig(config *rest.Config) (err error) {
	t := &config.TLSClientConfig
	for _, file := range []struct {
		data *[]byte
		path *string
	}{{&t.CAData, &t.CAFile}, {&t.CertData, &t.CertFile}, {&t.KeyData, &t.KeyFile}} {
		if err := loadFile(file.data, file.path); err != nil {
			return err
		}
	}
	if config.BearerTokenFile != "" {
		config.BearerToken, err = readToken(config.BearerTokenFile)
	}
	return err
}

// loadFile reads the file, unless there are data, which have precedence.
func loadFile(data *[]byte, path *string) (err error) {
	if *path != "" && len(*data) == 0 {
		if *data, err = boundedfile.Read(*path, boundedfile.MaxCredential); err != nil {
			return err
		}
		if len(*data) == 0 { // client-go would fall back to the system's authorities, or to no certificate
			return fmt.Errorf("%s: empty", *path)
		}
	}
	*path = ""
	return nil
}

func readToken(path string) (string, error) {
	content, err := boundedfile.Read(path, boundedfile.MaxCredential)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return "", fmt.Errorf("%s: empty", path)
	}
	return token, nil
}
