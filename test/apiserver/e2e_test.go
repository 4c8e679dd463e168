//go:build e2e

package apiserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
)

const configMaps = "/api/v1/namespaces/default/configmaps"

// TestClusters takes one of two clusters through all that can be done to it,
// while the other must not notice.
func TestClusters(t *testing.T) {
	clusters := apiserver.Start(t, "c1=10.101.0.0/16", "c2.eu")
	admin := newClient(t, clusters.Kubeconfig("c1"))
	other := newClient(t, clusters.Kubeconfig("c2.eu"))
	for _, c := range []*client{admin, other} {
		c.want(t, http.MethodGet, "/readyz", "", http.StatusOK)
		c.want(t, http.MethodPost, configMaps, `{"metadata":{"name":"mark"}}`, http.StatusCreated)
	}

	clusters.Stop("c1")
	if _, err := admin.do(t.Context(), http.MethodGet, "/readyz", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("stopped: error %v, want a refused connection", err)
	}
	other.want(t, http.MethodGet, "/readyz", "", http.StatusOK)
	clusters.Start("c1")
	admin.want(t, http.MethodGet, configMaps+"/mark", "", http.StatusOK)

	clusters.Pause("c1")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := admin.do(ctx, http.MethodGet, "/readyz", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("paused: error %v, want silence", err)
	}
	clusters.Resume("c1")
	admin.want(t, http.MethodGet, "/readyz", "", http.StatusOK)

	clusters.Wipe("c1")
	admin.want(t, http.MethodGet, configMaps+"/mark", "", http.StatusNotFound)
	other.want(t, http.MethodGet, configMaps+"/mark", "", http.StatusOK)
}

func TestKubeconfigWithToken(t *testing.T) {
	clusters := apiserver.Start(t, "c1")
	const account = "/api/v1/namespaces/default/serviceaccounts/viewer"
	admin := newClient(t, clusters.Kubeconfig("c1"))
	admin.want(t, http.MethodPost, "/api/v1/namespaces/default/serviceaccounts",
		`{"metadata":{"name":"viewer"}}`, http.StatusCreated)
	reply := admin.want(t, http.MethodPost, account+"/token", `{}`, http.StatusCreated)
	token := find(t, `"token":\s*"([^"]+)"`, reply)

	viewer := newClient(t, clusters.KubeconfigWithToken(t, "c1", token))
	viewer.want(t, http.MethodGet, "/version", "", http.StatusOK)
	viewer.want(t, http.MethodGet, configMaps, "", http.StatusForbidden)
	nobody := newClient(t, clusters.KubeconfigWithToken(t, "c1", "unknown"))
	nobody.want(t, http.MethodGet, configMaps, "", http.StatusUnauthorized)
}

// client is what a kubeconfig gives, without client-go.
type client struct {
	http          http.Client
	server, token string
}

func newClient(t *testing.T, kubeconfig string) *client {
	t.Helper()
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := base64.StdEncoding.DecodeString(find(t, `certificate-authority-data: (\S+)`, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &client{
		// A connection anew each time: the server behind it comes and goes.
		http: http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: pool},
			DisableKeepAlives: true,
		}},
		server: find(t, `server: (\S+)`, string(text)),
		token:  find(t, `token: (\S+)`, string(text)),
	}
}

func find(t *testing.T, pattern, text string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return match[1]
}

func (c *client) do(ctx context.Context, method, path, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	return c.http.Do(request)
}

// want fails the test where the status is another, and returns the body.
func (c *client) want(t *testing.T, method, path, body string, status int) string {
	t.Helper()
	response, err := c.do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d:\n%s", method, path, response.Status, status, text)
	}
	return string(text)
}
