package inventory

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
)

// TestArgoCD: what Argo CD logs in with is a kubeconfig that the server takes, or refused by
// name and without a word of it.
func TestArgoCD(t *testing.T) {
	const tls = `"tlsClientConfig":{"insecure":true}`
	for _, c := range []struct{ name, config, server, refused string }{
		{"token", `{"bearerToken":"hunter2",` + tls + `}`, "https://10.0.0.1", ""},
		{"exec", `{"execProviderConfig":{"command":"hunter2"}}`, "https://10.0.0.1", "config.execProviderConfig: a command"},
		{"nothing of exec", `{"execProviderConfig":null,"bearerToken":"hunter2",` + tls + `}`, "https://10.0.0.1", ""},
		{"AWS", `{"awsAuthConfig":{}}`, "https://10.0.0.1", "config.awsAuthConfig: a cloud's login"},
		{"password", `{"username":"hunter2","password":"x"}`, "https://10.0.0.1", "config.username: a password"},
		{"proxy", `{"bearerToken":"hunter2","proxyUrl":"http://hunter2"}`, "https://10.0.0.1", "config.proxyUrl: a proxy"},
		{"no JSON", `hunter2`, "https://10.0.0.1", "config: isn't what Argo CD writes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := argoCluster(&v1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "s"},
				Data:       map[string][]byte{"name": []byte("c"), "server": []byte(c.server), "config": []byte(c.config)},
			})
			if !strings.HasPrefix(of.refused, c.refused) || (of.refused == "") != (c.refused == "") || strings.Contains(of.refused, "hunter2") {
				t.Errorf("refused: %q, want %q", of.refused, c.refused)
			}
			if c.refused != "" {
				if of.kubeconfig != nil {
					t.Error("a kubeconfig all the same")
				}
				return
			}
			if config, err := credential.Parse(of.kubeconfig); err != nil || config.BearerToken != "hunter2" || config.Host != c.server {
				t.Errorf("%v, %+v", err, config)
			}
		})
	}
}
