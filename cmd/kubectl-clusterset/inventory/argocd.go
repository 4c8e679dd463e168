package inventory

import (
	"context"
	"encoding/json"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// argoConfig is what is read of the key config of Argo CD's Secrets. What logs in otherwise is
// there to be refused.
type argoConfig struct {
	BearerToken        string          `json:"bearerToken"`
	Username           string          `json:"username"`
	AWSAuthConfig      json.RawMessage `json:"awsAuthConfig"`
	ExecProviderConfig json.RawMessage `json:"execProviderConfig"`
	ProxyURL           string          `json:"proxyUrl"`
	TLSClientConfig    struct {
		Insecure   bool   `json:"insecure"`
		ServerName string `json:"serverName"`
		CAData     []byte `json:"caData"`
		CertData   []byte `json:"certData"`
		KeyData    []byte `json:"keyData"`
	} `json:"tlsClientConfig"`
}

// argoCD reads Argo CD's clusters.
func argoCD(ctx context.Context, r *reader) ([]*cluster, error) {
	secrets, err := r.secrets(ctx, "argocd.argoproj.io/secret-type=cluster")
	if err != nil {
		return nil, err
	}
	var all []*cluster
	for _, s := range secrets {
		all = append(all, argoCluster(s))
	}
	return all, nil
}

func argoCluster(s *v1.Secret) *cluster {
	c := &cluster{name: string(s.Data["name"]), origin: "Secret " + s.Namespace + "/" + s.Name}
	var config argoConfig
	if err := json.Unmarshal(s.Data["config"], &config); err != nil {
		c.refused = "config: isn't what Argo CD writes" // the error may quote a credential
		return c
	}
	switch {
	case isSet(config.ExecProviderConfig):
		c.refused = "config.execProviderConfig: a command that logs in, and none is run"
	case isSet(config.AWSAuthConfig):
		c.refused = "config.awsAuthConfig: a cloud's login"
	case config.Username != "":
		c.refused = "config.username: a password; no API takes one any more"
	case config.ProxyURL != "":
		c.refused = "config.proxyUrl: a proxy, which isn't used"
	default:
		var err error
		if c.kubeconfig, err = config.kubeconfig(c.name, string(s.Data["server"])); err != nil {
			c.refused = fmt.Sprint("config: ", err)
		}
	}
	return c
}

func isSet(value json.RawMessage) bool { return len(value) > 0 && string(value) != "null" }

// kubeconfig returns the same as a kubeconfig.
func (a *argoConfig) kubeconfig(name, server string) ([]byte, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{
		Server: server, TLSServerName: a.TLSClientConfig.ServerName, InsecureSkipTLSVerify: a.TLSClientConfig.Insecure,
		CertificateAuthorityData: a.TLSClientConfig.CAData,
	}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{
		Token: a.BearerToken, ClientCertificateData: a.TLSClientConfig.CertData, ClientKeyData: a.TLSClientConfig.KeyData,
	}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	return clientcmd.Write(*config)
}
