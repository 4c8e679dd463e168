package objects

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/facts"
)

// endless is an API whose replies have no end.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	page := bytes.Repeat([]byte(" "), 1<<20)
	for r.Context().Err() == nil {
		if _, err := w.Write(page); err != nil {
			return
		}
	}
}

// TestEndless: an API that doesn't end its reply, or leads elsewhere, is given up on: when a
// cluster is connected to, and when it is asked for its facts.
func TestEndless(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"endless":  {endless, "too large: more than 16777216 bytes"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "a redirect, which isn't followed"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(c.handler)
			defer server.Close()
			context := contextOf(t, server)
			if _, err := Connect(t.Context(), context, ""); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Connect: have %v, want %q", err, c.says)
			}
			cluster, err := ConnectUnasked(context, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := facts.Read(t.Context(), cluster.Kube, facts.Known{}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("facts: have %v, want %q", err, c.says)
			}
		})
	}
}

// contextOf is a command line whose kubeconfig names the server.
func contextOf(t *testing.T, server *httptest.Server) *cli.Context {
	t.Helper()
	config := clientcmdapi.NewConfig()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config.Clusters["x"] = &clientcmdapi.Cluster{Server: server.URL, CertificateAuthorityData: ca}
	config.AuthInfos["x"] = &clientcmdapi.AuthInfo{Token: "token"}
	config.Contexts["x"] = &clientcmdapi.Context{Cluster: "x", AuthInfo: "x"}
	config.CurrentContext = "x"
	path := t.TempDir() + "/kubeconfig"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	c := cli.New(nil, nil, nil, "test")
	c.Flags.KubeConfig = &path
	return c
}
